//! What a load run does, and how long it takes.

use std::time::Duration;

use verdict_audit::{Catalogue, FlowId};

use crate::error::{Error, Result};

/// What a load run does.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    /// The flows, in this order.
    pub flows: Vec<FlowId>,
    /// Closed loop: numbers of users who each wait for their answer before they ask again.
    pub users: Vec<u32>,
    /// Open loop: arrivals per second, on each side. When empty, `shares` decide.
    pub rates: Vec<f64>,
    /// Open loop without `rates`: shares of the most that the slower side reached in the closed
    /// loop. The same rates go to both sides.
    pub shares: Vec<f64>,
    /// Measured time of one window.
    pub window: Duration,
    /// Windows of each side at each level. The level at which the audit's targets are judged
    /// gets up to three times as many while it has fewer than 1 000 requests of each side.
    pub windows: usize,
    /// Time before each window in which the side is under the same load and nothing counts.
    pub warm_up: Duration,
    /// Seed of the requests and of the arrivals.
    pub seed: u64,
}

/// Requests wanted of each side at the level that is judged: fifty of them lie beyond p95.
pub const JUDGED_REQUESTS: u64 = 1_000;

/// The level that is judged gets at most so many times the plan's windows.
pub(crate) const STRETCH: usize = 3;

/// Concurrency by default; four levels are also the least that the scalability law is fitted to.
const USERS: [u32; 4] = [1, 4, 16, 64];

const FLOWS: [FlowId; 3] = [FlowId::Send, FlowId::History, FlowId::Page];

impl LoadPlan {
    /// Every flow at every level, within three minutes.
    pub fn quick() -> Self {
        Self {
            flows: FLOWS.to_vec(),
            users: USERS.to_vec(),
            rates: Vec::new(),
            shares: vec![0.25, 0.5, 0.75],
            window: Duration::from_millis(1_200),
            windows: 2,
            warm_up: Duration::from_millis(300),
            seed: 1,
        }
    }

    /// Every flow at the level that is judged and at one rate, within 40 seconds or so.
    pub fn short() -> Self {
        Self {
            users: vec![Catalogue::builtin().judged_users],
            shares: vec![0.5],
            window: Duration::from_millis(900),
            warm_up: Duration::from_millis(250),
            ..Self::quick()
        }
    }

    /// Every flow at every level, long enough for narrow intervals: about a quarter of an hour.
    pub fn full() -> Self {
        Self {
            window: Duration::from_secs(2),
            windows: 8,
            warm_up: Duration::from_millis(500),
            ..Self::quick()
        }
    }

    /// Refuses what cannot be measured.
    pub(crate) fn check(&self) -> Result<()> {
        if self.flows.is_empty() {
            return Err(Error::EmptyPlan { what: "flow" });
        }
        if self.users.is_empty() && self.rates.is_empty() {
            return Err(Error::EmptyPlan {
                what: "level of load, neither users nor a rate",
            });
        }
        if self.windows == 0 || self.window.is_zero() {
            return Err(Error::EmptyPlan { what: "window" });
        }
        let senseless = |what: String, choose| Err(Error::Senseless { what, choose });
        if let Some(users) = self
            .users
            .iter()
            .find(|users| !(1..=10_000).contains(*users))
        {
            return senseless(format!("{users} users"), "from 1 to 10000");
        }
        // Comparisons that also refuse what is not a number.
        if let Some(rate) = self.rates.iter().find(|rate| !(0.1..=1e6).contains(*rate)) {
            return senseless(format!("{rate} requests/s"), "from 0.1 to 1000000");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_of_ours_is_sound_and_measures_the_level_that_is_judged() {
        let judged = Catalogue::builtin().judged_users;
        for plan in [LoadPlan::quick(), LoadPlan::short(), LoadPlan::full()] {
            plan.check().unwrap();
            assert!(plan.users.contains(&judged));
        }
    }

    #[test]
    fn the_windows_of_the_quick_plan_fit_into_three_minutes() {
        let plan = LoadPlan::quick();
        let levels = plan.users.len() + plan.shares.len();
        // The level that is judged may take longer.
        let windows = 2 * plan.flows.len() * plan.windows * (levels + STRETCH - 1);
        let seconds = (plan.window + plan.warm_up).as_secs_f64() * windows as f64;
        assert!(seconds < 170.0, "{seconds} s");
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let quick = LoadPlan::quick();
        for plan in [
            LoadPlan {
                flows: vec![],
                ..quick.clone()
            },
            LoadPlan {
                users: vec![],
                ..quick.clone()
            },
            LoadPlan {
                users: vec![0],
                ..quick.clone()
            },
            LoadPlan {
                rates: vec![f64::NAN],
                ..quick.clone()
            },
            LoadPlan {
                rates: vec![-1.0],
                ..quick.clone()
            },
            LoadPlan {
                windows: 0,
                ..quick
            },
        ] {
            assert!(plan.check().is_err(), "{plan:?}");
        }
    }
}
