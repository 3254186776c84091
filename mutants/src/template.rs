//! What ClickHouse is sent again and again. Its driver writes what is bound into the text, so the
//! statement has to be found behind texts: they differ only where something is bound.

use std::collections::HashMap;
use std::ops::Range;

use verdict_engines::{Query, with_values};

use crate::tokens::{TokenKind, tokens};

/// What the id of a job's run is replaced by, in the names of the tables that are the run's own.
const ANY_RUN: &str = "00000000000000000000000000000000";

/// A statement with `$1`, `$2`, ... where something is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The SQL text.
    pub text: String,
    /// As it was sent first.
    pub first: Query,
    shape: String,
}

impl Template {
    /// Another text of the statement, such as a mutant, with what is bound in a text of its own;
    /// `None` where that is of another statement.
    pub fn of(&self, sent: &str, text: &str) -> Option<String> {
        let shaped = Shaped::of(sent)?;
        let (bound, run) = (&shaped.literals, shaped.run.as_deref());
        (shaped.shape == self.shape)
            .then(|| with_values(text, bound).replace(ANY_RUN, run.unwrap_or(ANY_RUN)))
    }
}

/// A text with `$n` for its nth literal, whether that is bound or always the same.
struct Shaped {
    shape: String,
    literals: Vec<String>,
    run: Option<String>,
}

impl Shaped {
    /// `None` for a text in which something is escaped, whose tokens would be others.
    fn of(text: &str) -> Option<Self> {
        if text.contains('\\') {
            return None;
        }
        let run = run(text);
        let text = match &run {
            Some(run) => text.replace(run, ANY_RUN),
            None => text.to_owned(),
        };
        let (mut shape, mut literals, mut at) = (String::new(), Vec::new(), 0);
        for place in literal_places(&text) {
            shape.push_str(&text[at..place.start]);
            at = place.end;
            literals.push(text[place].to_owned());
            shape.push_str(&format!("${}", literals.len()));
        }
        shape.push_str(&text[at..]);
        Some(Self {
            shape,
            literals,
            run,
        })
    }
}

/// The id that the name of a table ends in, after two underscores.
fn run(text: &str) -> Option<String> {
    let after = text.split("__").skip(1);
    let ids = after.filter_map(|rest| rest.get(..ANY_RUN.len()));
    let mut ids = ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    ids.next().map(str::to_owned)
}

/// Where numbers, strings and lists in brackets stand; what is behind a value in brackets is its
/// place in that value.
fn literal_places(text: &str) -> Vec<Range<usize>> {
    let tokens = tokens(text);
    let is = |at: usize, symbol: &str| &text[tokens[at].at.clone()] == symbol;
    let (mut places, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let is_list = is(at, "[") && at > 0 && !is(at - 1, ")") && !is(at - 1, "]");
        let close = (at..tokens.len()).find(|close| is(*close, "]"));
        let last = match (tokens[at].kind, close) {
            (_, Some(close)) if is_list => Some(close),
            (TokenKind::Text | TokenKind::Number, _) => Some(at),
            _ => None,
        };
        if let Some(last) = last {
            places.push(tokens[at].at.start..tokens[last].at.end);
            at = last;
        }
        at += 1;
    }
    places
}

/// Statements as they come, one for all texts that differ by literals alone.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    seen: Vec<Seen>,
    /// Where in `seen` a shape is.
    places: HashMap<String, usize>,
}

#[derive(Debug)]
struct Seen {
    first: Query,
    shape: String,
    /// Each literal as long as it was always the same.
    constants: Vec<Option<String>>,
}

impl Templates {
    pub fn see(&mut self, query: &Query) {
        let Some(Shaped {
            shape, literals, ..
        }) = Shaped::of(&query.text)
        else {
            return;
        };
        match self.places.get(&shape) {
            Some(place) => {
                let constants = self.seen[*place].constants.iter_mut();
                for (constant, literal) in constants.zip(literals) {
                    if constant.as_ref() != Some(&literal) {
                        *constant = None;
                    }
                }
            }
            None => {
                self.places.insert(shape.clone(), self.seen.len());
                self.seen.push(Seen {
                    first: query.clone(),
                    shape,
                    constants: literals.into_iter().map(Some).collect(),
                });
            }
        }
    }

    /// In the order in which they were first sent.
    pub fn all(&self) -> Vec<Template> {
        let templates = self.seen.iter().map(|seen| {
            let values: Vec<String> = (1..)
                .zip(&seen.constants)
                .map(|(number, constant)| constant.clone().unwrap_or_else(|| format!("${number}")))
                .collect();
            Template {
                text: with_values(&seen.shape, &values),
                first: seen.first.clone(),
                shape: seen.shape.clone(),
            }
        });
        templates.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates(texts: &[&str]) -> Vec<Template> {
        let mut templates = Templates::default();
        for text in texts {
            templates.see(&Query {
                text: (*text).to_owned(),
                parameters: Vec::new(),
            });
        }
        templates.all()
    }

    #[test]
    fn what_differs_from_text_to_text_is_bound() {
        let of = |ids: &str, limit: u8| {
            format!("SELECT 0.3 * a, b[2], f('c') FROM d WHERE e IN {ids} LIMIT {limit}")
        };
        let (one, other) = (of("['1','2']", 10), of("[]", 20));
        let all = templates(&[&one, "SELECT 1", &other]);
        assert_eq!(all.len(), 2);
        let template = &all[0];
        assert_eq!(
            template.text,
            "SELECT 0.3 * a, b[2], f('c') FROM d WHERE e IN $4 LIMIT $5"
        );
        let mutant = "SELECT 0.3 * a FROM d WHERE e IN $4 LIMIT $5 + 1";
        assert_eq!(
            template.of(&of("['3']", 30), mutant).unwrap(),
            "SELECT 0.3 * a FROM d WHERE e IN ['3'] LIMIT 30 + 1"
        );
        assert_eq!(template.of("SELECT 2", mutant), None);
    }

    #[test]
    fn a_jobs_own_tables_have_another_name_in_each_run() {
        let of = |digit: &str| format!("INSERT INTO a__{0} SELECT b FROM c__{0}", digit.repeat(32));
        let all = templates(&[&of("a"), &of("7")]);
        assert_eq!(all.len(), 1);
        let mutant = all[0].text.replace("SELECT b", "SELECT d");
        let due = of("e").replace("SELECT b", "SELECT d");
        assert_eq!(all[0].of(&of("e"), &mutant).unwrap(), due);
    }

    #[test]
    fn what_is_escaped_is_left_as_it_is() {
        assert!(templates(&[r"SELECT 'it\'s'"]).is_empty());
    }
}
