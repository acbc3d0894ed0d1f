//! What a benchmark found, for people and for programs.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde_json::{Value, json};

/// What one benchmark found.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// What was measured, in a sentence.
    pub(crate) title: String,
    /// The head of the table.
    pub(crate) head: Vec<&'static str>,
    /// Its rows.
    pub(crate) rows: Vec<Vec<String>>,
    /// What a reader has to know to read it right.
    pub(crate) notes: Vec<String>,
    /// What it should be.
    pub(crate) goals: Vec<Goal>,
    /// Every figure.
    pub(crate) data: Value,
}

/// Which way a goal is met.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// Not less than this.
    AtLeast(f64),
    /// Not more than this.
    AtMost(f64),
}

/// A figure that was promised.
#[derive(Debug)]
pub(crate) struct Goal {
    /// What, with its unit.
    pub(crate) what: String,
    /// What was promised.
    pub(crate) bound: Bound,
    /// What was seen.
    pub(crate) seen: f64,
}

impl Goal {
    /// Whether the promise is kept. A figure that is no number keeps none.
    pub(crate) fn met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(least) => self.seen >= least,
            Bound::AtMost(most) => self.seen <= most,
        }
    }

    fn shown(&self) -> [String; 4] {
        let bound = match self.bound {
            Bound::AtLeast(least) => format!(">= {least}"),
            Bound::AtMost(most) => format!("<= {most}"),
        };
        let met = if self.met() { "met" } else { "MISSED" };
        [self.what.clone(), bound, format!("{:.2}", self.seen), met.to_owned()]
    }

    fn json(&self) -> Value {
        let (bound, value) = match self.bound {
            Bound::AtLeast(least) => ("at_least", least),
            Bound::AtMost(most) => ("at_most", most),
        };
        json!({ "what": self.what, bound: value, "seen": self.seen, "met": self.met() })
    }
}

impl Section {
    /// Prints it for people.
    pub(crate) fn print(&self, name: &str) {
        println!("\n== {name}: {}", self.title);
        print_table(&self.head, &self.rows);
        for note in &self.notes {
            println!("  {note}");
        }
        if !self.goals.is_empty() {
            let rows: Vec<_> = self.goals.iter().map(|goal| goal.shown().to_vec()).collect();
            print_table(&["goal", "promised", "seen", ""], &rows);
        }
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let goals: Vec<_> = self.goals.iter().map(Goal::json).collect();
        json!({ "title": self.title, "goals": goals, "notes": self.notes, "figures": self.data })
    }
}

fn print_table(head: &[&str], rows: &[Vec<String>]) {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(head.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    println!("{table}");
}

#[cfg(test)]
mod tests {
    use super::{Bound, Goal};

    #[test]
    fn a_goal_is_met_from_its_own_side_only() {
        let goal = |bound, seen| Goal { what: String::new(), bound, seen }.met();
        assert!(goal(Bound::AtLeast(2.0), 2.0) && !goal(Bound::AtLeast(2.0), 1.99));
        assert!(goal(Bound::AtMost(1.5), 1.5) && !goal(Bound::AtMost(1.5), 1.51));
        assert!(!goal(Bound::AtLeast(2.0), f64::NAN) && !goal(Bound::AtMost(2.0), f64::NAN));
    }
}
