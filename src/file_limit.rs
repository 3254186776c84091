//! How many files a process may have open: each user of a load is one, on either end.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More than any load here asks for; some servers are slowed by a limit of millions.
const ENOUGH: u64 = 65_536;

/// Raises the limit as far as the system lets this user, for this process and what it starts.
/// Where it does not, the limit stays as it is, and what needs more says so.
pub fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(ENOUGH).max(soft);
        let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
    }
}
