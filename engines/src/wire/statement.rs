//! A statement on its way.

/// A statement as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text.
    pub text: String,
    /// The types that the client declares for `$1`, `$2`, ..., by PostgreSQL's numbers; those
    /// that it leaves open are 0 or missing.
    pub parameter_types: Vec<u32>,
}

/// A statement with something in the place of `$1`, `$2`, ...
pub fn with_values(statement: &str, values: &[String]) -> String {
    let mut pieces = statement.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit());
        let (number, rest) = piece.split_at(end.unwrap_or(piece.len()));
        let place = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        match place.and_then(|place| values.get(place)) {
            Some(value) => text.push_str(value),
            None => {
                text.push('$');
                text.push_str(number);
            }
        }
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_their_numbers_did() {
        let values: Vec<String> = (1..=10).map(|n| format!(":p{n}::int")).collect();
        assert_eq!(
            with_values(
                "SELECT $1, $10+$2 FROM a WHERE b = '$' AND c = $11",
                &values
            ),
            "SELECT :p1::int, :p10::int+:p2::int FROM a WHERE b = '$' AND c = $11"
        );
        assert_eq!(with_values("SELECT 1", &values), "SELECT 1");
    }
}
