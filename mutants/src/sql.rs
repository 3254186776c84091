//! A statement with its tokens, and where its clauses and lists end.

use std::ops::Range;

use crate::mutant::{Kind, Mutant};
use crate::tokens::{Token, TokenKind, tokens};

/// Words that end the clause before them.
const CLAUSES: [&str; 28] = [
    "SELECT",
    "FROM",
    "PREWHERE",
    "WHERE",
    "GROUP",
    "HAVING",
    "WINDOW",
    "QUALIFY",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "FOR",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "RETURNING",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "CROSS",
    "JOIN",
    "ON",
    "USING",
    "VALUES",
    "SET",
    "SETTINGS",
];

/// A statement with its tokens. Places are numbers of tokens.
pub(crate) struct Sql<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
}

impl<'a> Sql<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            tokens: tokens(text),
        }
    }

    /// The text from one token up to another.
    pub fn of(&self, range: &Range<usize>) -> &'a str {
        &self.text[self.place(range)]
    }

    /// Where the text of some tokens stands.
    pub fn place(&self, range: &Range<usize>) -> Range<usize> {
        let tokens = self.tokens.get(range.clone()).unwrap_or_default();
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => first.at.start..last.at.end,
            _ => 0..0,
        }
    }

    /// Where what stands between the dollars of a token is.
    pub fn dollar_quoted(&self, at: usize) -> Option<Range<usize>> {
        let token = self.tokens.get(at)?;
        let text = &self.text[token.at.clone()];
        let tag = 1 + text.strip_prefix('$')?.find('$')? + 1;
        (token.kind == TokenKind::Text).then(|| token.at.start + tag..token.at.end - tag)
    }

    /// Whether a token is this word or symbol.
    pub fn is(&self, at: usize, word: &str) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| self.text[token.at.clone()].eq_ignore_ascii_case(word))
    }

    /// Whether tokens are these words, one after the other.
    pub fn are(&self, at: usize, words: &[&str]) -> bool {
        (at..).zip(words).all(|(at, word)| self.is(at, word))
    }

    /// Where these words stand.
    pub fn every<'s>(&'s self, words: &'s [&str]) -> impl Iterator<Item = usize> + 's {
        (0..self.tokens.len()).filter(move |at| self.are(*at, words))
    }

    pub fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The parenthesis that closes the one at a place.
    pub fn close(&self, open: usize) -> Option<usize> {
        let depth = self.tokens.get(open)?.depth;
        (open + 1..self.tokens.len()).find(|at| self.tokens[*at].depth == depth)
    }

    /// From a place to the end of its clause: the next clause's word, or a parenthesis that
    /// closes around it.
    pub fn clause(&self, from: usize) -> Range<usize> {
        let Some(first) = self.tokens.get(from) else {
            return from..from;
        };
        let depth = first.depth;
        let end = (from..self.tokens.len())
            .find(|at| {
                let token = &self.tokens[*at];
                let closes = self.is(*at, ")") && token.depth < depth;
                closes || (token.depth == depth && self.begins_clause(*at))
            })
            .unwrap_or(self.tokens.len());
        from..end
    }

    fn begins_clause(&self, at: usize) -> bool {
        let is_function = self.is(at + 1, "(") && (self.is(at, "LEFT") || self.is(at, "RIGHT"));
        self.is(at, ";") || !is_function && CLAUSES.iter().any(|word| self.is(at, word))
    }

    /// What stands between these words, at the depth of the range itself.
    pub fn split(&self, range: Range<usize>, by: &str) -> Vec<Range<usize>> {
        let depth = self.tokens[range.clone()]
            .iter()
            .map(|token| token.depth)
            .min();
        let (mut parts, mut start, mut between) = (Vec::new(), range.start, false);
        for at in range.clone() {
            if Some(self.tokens[at].depth) != depth {
                continue;
            }
            between |= self.is(at, "BETWEEN");
            if self.is(at, by) {
                // The AND of BETWEEN joins no conditions.
                if std::mem::take(&mut between) && by == "AND" {
                    continue;
                }
                parts.push(start..at);
                start = at + 1;
            }
        }
        parts.push(start..range.end);
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// What is inside a range that is one pair of parentheses.
    pub fn unwrapped(&self, range: &Range<usize>) -> Option<Range<usize>> {
        (self.is(range.start, "(") && self.close(range.start)? + 1 == range.end)
            .then(|| range.start + 1..range.end - 1)
    }

    /// The statement with another text in the place of some tokens.
    pub fn mutant(&self, kind: Kind, range: Range<usize>, after: &str) -> Mutant {
        let before = self.of(&range);
        let start = self
            .tokens
            .get(range.start)
            .map_or(self.text.len(), |token| token.at.start);
        let (head, tail) = self.text.split_at(start);
        Mutant {
            kind,
            line: 1 + head.trim_start().matches('\n').count(),
            before: one_line(before),
            after: one_line(after),
            text: format!("{head}{after}{}", &tail[before.len()..]),
        }
    }
}

/// With every run of blanks as one.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_ends_where_the_next_begins_or_a_parenthesis_closes() {
        let sql =
            Sql::new("SELECT (SELECT a FROM b WHERE c = LEFT(d, 1)) FROM e WHERE f ORDER BY g");
        let after = |word| {
            let found: Vec<_> = sql.every(&[word]).collect();
            found
                .into_iter()
                .map(|at| sql.of(&sql.clause(at + 1)))
                .collect::<Vec<_>>()
        };
        assert_eq!(after("WHERE"), ["c = LEFT(d, 1)", "f"]);
        assert_eq!(after("FROM"), ["b", "e"]);
    }

    #[test]
    fn a_list_is_split_at_its_own_depth() {
        let sql = Sql::new("a AND (b AND c) AND d BETWEEN 1 AND 2 AND e");
        let parts = sql.split(0..sql.tokens.len(), "AND");
        let parts: Vec<_> = parts.iter().map(|part| sql.of(part)).collect();
        assert_eq!(parts, ["a", "(b AND c)", "d BETWEEN 1 AND 2", "e"]);
    }

    #[test]
    fn a_mutant_differs_at_one_place() {
        let sql = Sql::new("\nSELECT a\nFROM b\nLIMIT  1");
        let mutant = sql.mutant(Kind::Limit, 4..6, "LIMIT 2");
        assert_eq!(mutant.text, "\nSELECT a\nFROM b\nLIMIT 2");
        assert_eq!((mutant.line, &*mutant.before), (3, "LIMIT 1"));
    }
}
