//! The middle and the spread of a few measurements. No theory beyond that: five runs bear none.

use serde_json::{Value, json};

/// Measurements of one thing, one for each run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl Sample {
    /// The middle one; of an even number the mean of both; 0 of none.
    pub(crate) fn median(&self) -> f64 {
        let at = |index: usize| self.0.get(index).copied().unwrap_or_default();
        let half = self.0.len() / 2;
        if self.0.len().is_multiple_of(2) {
            f64::midpoint(at(half.saturating_sub(1)), at(half))
        } else {
            at(half)
        }
    }

    /// All of them, the smallest first.
    pub(crate) fn values(&self) -> &[f64] {
        &self.0
    }

    /// The largest.
    pub(crate) fn max(&self) -> f64 {
        self.spread().1
    }

    /// The smallest and the largest.
    fn spread(&self) -> (f64, f64) {
        let or_nothing = |value: Option<&f64>| value.copied().unwrap_or_default();
        (or_nothing(self.0.first()), or_nothing(self.0.last()))
    }

    /// For people: `median (smallest - largest)`.
    pub(crate) fn shown(&self, decimals: usize) -> String {
        let (low, high) = self.spread();
        let median = self.median();
        if self.0.len() < 2 {
            return format!("{median:.decimals$}");
        }
        format!("{median:.decimals$} ({low:.decimals$} - {high:.decimals$})")
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let (low, high) = self.spread();
        json!({ "median": self.median(), "min": low, "max": high, "runs": self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn the_middle_of_odd_and_even_numbers_of_runs() {
        let of = |values: &[f64]| values.iter().copied().collect::<Sample>();
        assert_eq!(of(&[3.0, 1.0, 9.0]).shown(0), "3 (1 - 9)");
        assert_eq!(of(&[4.0, 1.0, 2.0, 9.0]).shown(1), "3.0 (1.0 - 9.0)");
        assert_eq!(of(&[0.25]).shown(2), "0.25");
        assert_eq!(of(&[]).shown(0), "0");
    }
}
