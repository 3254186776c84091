//! Which messages hold which words, by hand rather than by PostgreSQL's dictionaries: only words
//! are asked for of which the world's forms are listed here, and those that have no other.

use std::collections::BTreeMap;

use verdict_seed::MARKERS;

/// A term as PostgreSQL stores it, and the forms in which it is asked for or written.
pub(super) const TERMS: [(&str, &[&str]); 10] = [
    ("lantern", &[MARKERS[0].0, "lanterns"]),
    ("meridian", &[MARKERS[1].0, "meridians"]),
    ("zephyrit", &[MARKERS[2].0, "zephyrites"]),
    ("meet", &["meeting", "meet", "meets", "meetings"]),
    ("run", &["running", "run", "runs"]),
    ("guitar", &["guitar", "guitars"]),
    ("kitchen", &["kitchen", "kitchens"]),
    ("museum", &["museum", "museums"]),
    ("weekend", &["weekend", "weekends"]),
    ("bridg", &["bridge", "bridges"]),
];

/// Words that are never stored.
const STOP_WORDS: [&str; 8] = ["the", "and", "of", "to", "is", "it", "with", "not"];

/// Words that nothing of the world holds, as they are asked for.
pub(super) const ABSENT: [&str; 2] = ["qxqxq", "灯笼"];

/// The word that only the hostile conversation holds, in a script without spaces.
pub(super) const CHINESE: &str = "消息";

/// The last place that PostgreSQL tells from those behind it, and how many places of a term it
/// keeps.
const LAST: usize = 16_383;
const KEPT: usize = 255;

/// The words of a text, each with its place counted from 1. Whatever stands between them has no
/// place of its own.
fn words(text: &str) -> impl Iterator<Item = (u16, &str)> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).enumerate();
    words.map(|(before, word)| ((before + 1).min(LAST) as u16, word))
}

fn term(word: &str) -> Option<&str> {
    if STOP_WORDS.contains(&word) {
        return None;
    }
    let known = TERMS.iter().find(|(_, forms)| forms.contains(&word));
    Some(known.map_or(word, |(term, _)| term))
}

/// What a message has to hold: each term once, in their own order; none when only stop words are
/// asked for, which no message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Vec<String>);

impl Query {
    /// What a text asks for.
    pub fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut terms: Vec<String> = words(&text)
            .filter_map(|(_, word)| term(word).map(str::to_owned))
            .collect();
        terms.sort_unstable();
        terms.dedup();
        Self(terms)
    }

    /// Whether it asks for nothing that could be found.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where each of the terms stands in a message; `None` where one does not.
    pub(super) fn places(&self, content: &str) -> Option<Vec<Vec<u16>>> {
        if self.is_empty() {
            return None;
        }
        let content = content.to_lowercase();
        // Most messages hold none: this costs less than parting them into words.
        let written = |wanted: &String| {
            let forms = TERMS.iter().find(|(term, _)| term == wanted);
            match forms {
                Some((_, forms)) => forms.iter().any(|form| content.contains(form)),
                None => content.contains(wanted.as_str()),
            }
        };
        if !self.0.iter().all(written) {
            return None;
        }
        let mut places: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
        for (place, word) in words(&content) {
            if let Some(term) = term(word) {
                let of = places.entry(term).or_default();
                if of.len() < KEPT && of.last() != Some(&place) {
                    of.push(place);
                }
            }
        }
        let of = |term: &String| places.remove(term.as_str());
        self.0.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_its_terms_whatever_stands_between_them() {
        let query = Query::of("\"Lanterns\" & !the 'MERIDIAN' | lantern:*");
        assert_eq!(query, Query::of("meridian lantern"));
        assert_eq!(query.0, ["lantern", "meridian"]);
        assert!(Query::of(" the, of -- ").is_empty());
    }

    #[test]
    fn all_terms_have_to_be_there_as_words_of_their_own() {
        let places = |asked: &str, content| Query::of(asked).places(content);
        assert_eq!(
            places("meets", "meeting at the bridge"),
            Some(vec![vec![1]])
        );
        assert_eq!(
            places("bridges meet", "Meeting, at the bridge; meets"),
            Some(vec![vec![4], vec![1, 5]])
        );
        assert_eq!(places("meet guitar", "a meeting"), None);
        assert_eq!(places("run", "outrun, running"), Some(vec![vec![2]]));
        assert_eq!(places("run", "outrun"), None);
        assert_eq!(places("the", "the"), None);
    }
}
