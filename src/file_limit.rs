//! How many files a process may have open: each request under way is one, on either end.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::error::{Error, Result};

/// More than any load here asks for; some servers are slowed by a limit of millions.
const ENOUGH: u64 = 65_536;

/// Files of the process with the most of them beside one for each request: the generator has its own
/// connections to both sides, the service its pools, and either what any program has open.
const BESIDE: u64 = 256;

/// Raises the limit as far as the system lets this user, for this process and what it starts.
/// Where it does not, the limit stays as it is, and what needs more says so.
pub fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(ENOUGH).max(soft);
        let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
    }
}

/// Whether so many requests at once can be had. The service is a process of its own, under the same
/// limit.
///
/// # Errors
/// When they need more files than a process may have open.
pub fn suffices(requests: u32) -> Result<()> {
    let Ok((limit, _)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return Ok(());
    };
    let needed = u64::from(requests) + BESIDE;
    if needed <= limit {
        return Ok(());
    }
    Err(Error::TooManyAtOnce {
        requests,
        needed,
        limit,
        most: limit.saturating_sub(BESIDE),
    })
}

/// How many requests can be had at once; one can.
pub fn most() -> u32 {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(limit, _)| limit);
    u32::try_from(limit.saturating_sub(BESIDE)).map_or(u32::MAX, |most| most.max(1))
}
