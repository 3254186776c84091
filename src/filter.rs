//! What criterion's command line asks for, as far as benches need to know before criterion
//! does: a world is not built for a bench that is filtered out.

use regex::Regex;

/// Criterion's flags that are followed by a value, which is no filter.
const WITH_VALUE: [&str; 19] = [
    "-c",
    "--color",
    "--colour",
    "-b",
    "--baseline",
    "--baseline-lenient",
    "-s",
    "--save-baseline",
    "--load-baseline",
    "--sample-size",
    "--warm-up-time",
    "--measurement-time",
    "--nresamples",
    "--noise-threshold",
    "--confidence-level",
    "--significance-level",
    "--profile-time",
    "--plotting-backend",
    "--output-format",
];

/// Criterion's ways of not measuring: nothing comes of them that could be reported.
const WITHOUT_MEASURING: [&str; 4] = ["--list", "--test", "--load-baseline", "--profile-time"];

/// Which benches a command line asks for, and whether it asks to measure them.
#[derive(Debug, Clone)]
pub struct Filter {
    words: Vec<String>,
    pattern: Option<Regex>,
}

impl Filter {
    /// Reads a command line without the program's name.
    ///
    /// # Errors
    /// When the filter is no regular expression.
    pub fn parse(words: impl IntoIterator<Item = String>) -> crate::error::Result<Self> {
        let words: Vec<String> = words.into_iter().collect();
        let mut filter = None;
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if WITH_VALUE.contains(&word.as_str()) {
                rest.next();
            } else if !word.starts_with('-') {
                filter = Some(word);
            }
        }
        let exact = words.iter().any(|word| word == "--exact");
        let pattern = match filter {
            Some(name) if exact => Some(Regex::new(&format!("^{}$", regex::escape(name)))?),
            Some(pattern) => Some(Regex::new(pattern)?),
            None => None,
        };
        Ok(Self { words, pattern })
    }

    /// What names are matched with; empty where all are wanted.
    pub fn pattern(&self) -> &str {
        self.pattern.as_ref().map_or("", Regex::as_str)
    }

    /// Whether a bench of this name is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(name))
    }

    /// Whether only the names are asked for.
    pub fn lists(&self) -> bool {
        self.given(&["--list"])
    }

    /// Whether benches are to be measured, rather than listed, tried once or compared.
    pub fn measures(&self) -> bool {
        self.given(&["--bench"]) && !self.given(&WITHOUT_MEASURING)
    }

    fn given(&self, flags: &[&str]) -> bool {
        self.words.iter().any(|word| {
            let flag = word.split('=').next().unwrap_or(word);
            flags.contains(&flag)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(line: &str) -> Filter {
        Filter::parse(line.split_whitespace().map(str::to_owned)).unwrap()
    }

    #[test]
    fn without_a_filter_every_bench_is_wanted() {
        assert!(filter("--bench").wants("message-send/send/optimized/100"));
    }

    #[test]
    fn a_filter_is_a_pattern_and_a_flags_value_is_none() {
        let sends = filter("--save-baseline message-history --bench message-send");
        assert!(sends.wants("message-send/send/optimized/100"));
        assert!(!sends.wants("message-history/first page/baseline/100"));
        let exact = filter("--exact a/b --bench");
        assert!(exact.wants("a/b") && !exact.wants("a/b/c"));
    }

    #[test]
    fn listing_testing_and_comparing_measure_nothing() {
        assert!(filter("--bench").measures());
        for line in [
            "--bench --list",
            "--test",
            "--bench --profile-time=5",
            "--bench --load-baseline before",
        ] {
            assert!(!filter(line).measures(), "{line}");
        }
        assert!(filter("--bench --list").lists());
    }
}
