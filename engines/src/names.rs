//! What a run's databases are called, and whose a database is by its name.

use sha2::{Digest, Sha256};

/// PostgreSQL cuts a name off after so many bytes, without an error.
const LONGEST: usize = 63;

/// What the names of all databases of a run begin with.
pub(crate) fn prefix(run: &str) -> String {
    format!("verdict_{run}_")
}

/// The name of the database that a run has for a role, the same in PostgreSQL and ClickHouse.
/// A role too long for a name ends in its digest instead, so that two never share one.
pub(crate) fn of_role(run: &str, role: &str) -> String {
    let prefix = prefix(run);
    if prefix.len() + role.len() <= LONGEST {
        return prefix + role;
    }
    let digest: String = Sha256::digest(role)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let room = role.floor_char_boundary(LONGEST - prefix.len() - digest.len() - 1);
    format!("{prefix}{}_{digest}", &role[..room])
}

/// The run of a database named `verdict_<run>_<role>`; `None` for any other name.
pub(crate) fn run_of(database: &str) -> Option<&str> {
    let run = database.strip_prefix("verdict_")?.split_once('_')?.0;
    is_run(run).then_some(run)
}

/// Whether this is what the id of a run looks like.
pub(crate) fn is_run(run: &str) -> bool {
    run.len() == 8 && run.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_a_runs_own_making_have_a_run() {
        assert_eq!(run_of("verdict_0a1b2c3d_trial"), Some("0a1b2c3d"));
        assert_eq!(run_of(&of_role("0a1b2c3d", "A-`b")), Some("0a1b2c3d"));
        for other in [
            "verdict_world_smoke_1",
            "verdict_0a1b2c3d",
            "verdict_results_2025",
            "postgres",
            "verdict_0A1B2C3D_x",
        ] {
            assert_eq!(run_of(other), None, "{other}");
        }
    }

    #[test]
    fn two_roles_never_share_a_name() {
        let long = "\u{e9}".repeat(40);
        let longer = long.clone() + "x";
        assert_ne!(of_role("0a1b2c3d", "a-b"), of_role("0a1b2c3d", "a_b"));
        assert_ne!(of_role("0a1b2c3d", &long), of_role("0a1b2c3d", &longer));
        assert!(of_role("0a1b2c3d", &long).len() <= LONGEST);
    }
}
