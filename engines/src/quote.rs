//! Names as identifiers, whatever characters they have.

/// A name as PostgreSQL reads it.
pub(crate) fn postgres(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text as PostgreSQL reads it.
pub(crate) fn postgres_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as ClickHouse reads it.
pub(crate) fn clickhouse(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// Text as ClickHouse reads it.
pub(crate) fn clickhouse_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Text in an XML element.
pub(crate) fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A value in Redis's configuration.
pub(crate) fn redis(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_own_quotes() {
        assert_eq!(postgres("A\"b"), "\"A\"\"b\"");
        assert_eq!(postgres_text("it's"), "'it''s'");
        assert_eq!(clickhouse("A`b\\"), "`A\\`b\\\\`");
        assert_eq!(clickhouse_text("it's"), "'it\\'s'");
        assert_eq!(xml("a & <b>"), "a &amp; &lt;b&gt;");
        assert_eq!(redis("a \"b\" \\"), "\"a \\\"b\\\" \\\\\"");
    }
}
