//! How many tests passed and failed, read from the closing lines of nextest and of `cargo test`.

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, timed out or could not start.
    pub failed: u64,
}

impl Tally {
    /// Adds the counts of `line`, where it is a closing line of a test runner.
    pub fn read(&mut self, line: &str) {
        let counts = if line.trim_start().starts_with("Summary [") {
            line.split_once("tests run:").or_else(|| line.split_once("test run:"))
        } else {
            // Indented, it is what nextest repeats of a test that failed, and counted by the summary.
            line.strip_prefix("test result:").and_then(|rest| rest.split_once(". "))
        };
        let Some((_, counts)) = counts else { return };
        for count in counts.split([',', ';']) {
            let mut words = count.split_whitespace();
            let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" | "timed" | "exec" => self.failed += number,
                _ => {}
            }
        }
    }

    /// One check that has no tests to count.
    #[must_use]
    pub fn check(succeeded: bool) -> Self {
        Self { passed: u64::from(succeeded), failed: u64::from(!succeeded) }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn read(lines: &[&str]) -> (u64, u64) {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.read(line));
        (tally.passed, tally.failed)
    }

    #[test]
    fn nextest_closing_lines() {
        assert_eq!(read(&["     Summary [   0.012s] 1 test run: 1 passed, 0 skipped"]), (1, 0));
        let mixed = "     Summary [  61.2s] 14 tests run: 9 passed (2 slow, 1 flaky), 2 failed, 1 exec failed, 2 timed out, 3 skipped";
        let repeated = "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 14 filtered out";
        assert_eq!(read(&[repeated, mixed, repeated]), (9, 5));
    }

    #[test]
    fn closing_lines_of_several_test_programs_add_up() {
        let first =
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let second = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(read(&[first, "running 3 tests", second]), (4, 2));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(read(&["        PASS [   0.004s] a b", "5 passed, 5 failed"]), (0, 0));
    }
}
