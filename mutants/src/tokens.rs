//! A statement cut into tokens. No parser: a fault is put in at one place, and everything else
//! has to stay as it is written.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword or a name, quoted or not.
    Word,
    /// A string, of any kind of quotes.
    Text,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// An operator or a bracket.
    Symbol,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    /// Bytes of the statement.
    pub at: Range<usize>,
    /// How many parentheses are open around it; its own are not.
    pub depth: usize,
}

/// Cuts a statement into tokens. Comments and blanks are none.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let blank = blank(rest);
        if blank > 0 {
            at += blank;
            continue;
        }
        let (kind, length) = next(rest, first);
        if first == ')' {
            depth = depth.saturating_sub(1);
        }
        tokens.push(Token {
            kind,
            at: at..at + length,
            depth,
        });
        if first == '(' {
            depth += 1;
        }
        at += length;
    }
    tokens
}

/// The length of the blanks or the comment that a text begins with.
fn blank(rest: &str) -> usize {
    if rest.starts_with("--") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        return comment.find("*/").map_or(rest.len(), |end| end + 4);
    }
    rest.len() - rest.trim_start().len()
}

fn next(rest: &str, first: char) -> (TokenKind, usize) {
    let run = |of: fn(char) -> bool| rest.find(|c| !of(c)).unwrap_or(rest.len());
    let wordly = |c: char| c.is_alphanumeric() || c == '_';
    match first {
        '\'' => (TokenKind::Text, quoted(rest, '\'')),
        '"' => (TokenKind::Word, quoted(rest, '"')),
        '$' => dollar(rest),
        c if c.is_ascii_digit() => (
            TokenKind::Number,
            run(|c| c.is_ascii_digit() || c == '.').max(1),
        ),
        c if wordly(c) => (TokenKind::Word, run(wordly)),
        '(' | ')' | '[' | ']' | ',' | ';' | '.' => (TokenKind::Symbol, 1),
        _ => {
            let length = run(|c| "+-*/<>=~!@#%^&|`?:".contains(c));
            (TokenKind::Symbol, length.max(first.len_utf8()))
        }
    }
}

/// The length of what is quoted; a quote that is doubled does not end it.
fn quoted(rest: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(found) = rest[at..].find(quote) {
        at += found + 1;
        if !rest[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    rest.len()
}

/// `$1`, or a text between `$tag$`s.
fn dollar(rest: &str) -> (TokenKind, usize) {
    let digits = rest[1..]
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len() - 1);
    if digits > 0 {
        return (TokenKind::Parameter, digits + 1);
    }
    let Some(end) = rest[1..].find('$').map(|end| end + 2) else {
        return (TokenKind::Symbol, 1);
    };
    let tag = &rest[..end];
    let length = rest[end..]
        .find(tag)
        .map_or(rest.len(), |close| end + close + end);
    (TokenKind::Text, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        tokens(text)
            .into_iter()
            .map(|token| &text[token.at])
            .collect()
    }

    #[test]
    fn strings_comments_parameters_and_operators_are_kept_apart() {
        assert_eq!(
            cut("SELECT a.b, 'it''s, (' -- a < b\n/* > */ FROM \"x y\" WHERE c<=$12::int[]"),
            [
                "SELECT",
                "a",
                ".",
                "b",
                ",",
                "'it''s, ('",
                "FROM",
                "\"x y\"",
                "WHERE",
                "c",
                "<=",
                "$12",
                "::",
                "int",
                "[",
                "]"
            ]
        );
        assert_eq!(
            cut("$tag$ > $1 $tag$ + 1.5"),
            ["$tag$ > $1 $tag$", "+", "1.5"]
        );
    }

    #[test]
    fn parentheses_are_as_deep_as_what_is_around_them() {
        let depths: Vec<_> = tokens("a (b (c)) d").iter().map(|t| t.depth).collect();
        assert_eq!(depths, [0, 0, 1, 1, 2, 1, 0, 0]);
    }
}
