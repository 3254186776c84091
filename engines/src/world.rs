//! The name under which a world is found again.

use sha2::{Digest, Sha256};

/// The name of the world's database, in both engines, wherever Verdict has engines of its own.
pub(crate) const DATABASE: &str = "verdict_world";

/// A name for `key` that is good for folders, images and databases: the readable part of the
/// key, and a digest of the key and of `engines`, whose data the world is made of.
pub(crate) fn name(key: &str, engines: &str) -> String {
    let readable: String = key
        .chars()
        .filter_map(|c| match c {
            'a'..='z' | '0'..='9' => Some(c),
            'A'..='Z' => Some(c.to_ascii_lowercase()),
            '-' | '_' | '.' | ' ' | '/' => Some('_'),
            _ => None,
        })
        .take(24)
        .collect();
    let digest = Sha256::new()
        .chain_update(key)
        .chain_update([0])
        .chain_update(engines)
        .finalize();
    let digest: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{readable}_{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_readable_and_tells_keys_and_engines_apart() {
        let name_of = name("smoke-7 v1", "pg 18");
        assert!(name_of.starts_with("smoke_7_v1_"), "{name_of}");
        assert_ne!(name_of, name("smoke-7.v1", "pg 18"));
        assert_ne!(name_of, name("smoke-7 v1", "pg 19"));
        assert!(
            name(&"é/x".repeat(100), "").len() <= 40,
            "PostgreSQL cuts names off after 63 bytes"
        );
    }
}
