//! Passwords in the text of statements: of those that set one, PostgreSQL keeps them as they are.

/// A statement on one line, without the passwords that it gives.
pub(crate) fn hidden(line: &str) -> String {
    const WORD: &str = "password";
    let lower = line.to_ascii_lowercase();
    let mut shown = String::with_capacity(line.len());
    let mut from = 0;
    while let Some(found) = lower[from..].find(WORD) {
        let after = from + found + WORD.len();
        shown.push_str(&line[from..after]);
        from = after;
        if let Some((start, length)) = given(&line[after..]) {
            shown.push_str(&line[after..after + start]);
            shown.push('…');
            from += start + length;
        }
    }
    shown.push_str(&line[from..]);
    shown
}

/// Where a password begins in what follows the word, and how long it is: it is a string, or what
/// stands after `=` in one, and no parameter.
fn given(rest: &str) -> Option<(usize, usize)> {
    let value = rest.trim_start_matches([' ', '=']);
    let lead = rest.len() - value.len();
    let quoted = ["'", "E'", "e'"]
        .iter()
        .find_map(|quote| value.strip_prefix(quote));
    if let Some(quoted) = quoted {
        return Some((rest.len() - quoted.len(), closing(quoted)));
    }
    let assigned = rest[..lead].contains('=') && !value.starts_with('$');
    let ends = value.find([' ', '\'', ';']).unwrap_or(value.len());
    (assigned && ends > 0).then_some((lead, ends))
}

/// Where a string ends: at a quote that is not doubled.
fn closing(quoted: &str) -> usize {
    let mut from = 0;
    while let Some(found) = quoted[from..].find('\'') {
        let quote = from + found;
        if !quoted[quote + 1..].starts_with('\'') {
            return quote;
        }
        from = quote + 2;
    }
    quoted.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_gives_as_a_password_is_not_shown_and_nothing_else_is_hidden() {
        for (line, shown) in [
            (
                "CREATE ROLE me PASSWORD 'hush' LOGIN",
                "CREATE ROLE me PASSWORD '…' LOGIN",
            ),
            (
                "ALTER ROLE me password E'it''s'",
                "ALTER ROLE me password E'…'",
            ),
            ("ALTER ROLE me PASSWORD 'hüsh", "ALTER ROLE me PASSWORD '…"),
            (
                "SELECT dblink('host=db password=hush dbname=x password = hush')",
                "SELECT dblink('host=db password=… dbname=x password = …')",
            ),
            (
                "SELECT password FROM users WHERE password = $1",
                "SELECT password FROM users WHERE password = $1",
            ),
            ("ALTER ROLE me PASSWORD NULL", "ALTER ROLE me PASSWORD NULL"),
        ] {
            assert_eq!(hidden(line), shown);
        }
    }
}
