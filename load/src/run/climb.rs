//! One side alone at other rates than both sides share: how large a load its goal holds at.

use std::sync::Arc;

use verdict_audit::{Side, Target};

use super::Run;
use crate::error::Result;
use crate::evidence::Level;
use crate::findings::{Goal, Measured};
use crate::flows::Flow;

impl Run<'_> {
    /// Higher and higher rates of one side alone, until its goal breaks or the plan ends; before
    /// them lower ones, where not even the lowest that was measured surely holds.
    pub(super) async fn climb(
        &mut self,
        flow: &Arc<dyn Flow>,
        target: &Target,
        side: Side,
        measured: &mut Vec<Measured>,
    ) -> Result<()> {
        if !self.plan.rates.is_empty() {
            return Ok(());
        }
        let (best, window) = (self.best(measured, side), self.plan.window);
        let of_side = |one: &Measured| matches!(one.level, Level::Rate(_) if one.side == side);
        let Some(first) = measured.iter().position(of_side) else {
            return Ok(());
        };
        let mut met = Vec::new();
        let (mut lowest, mut highest) = (f64::INFINITY, 0.0f64);
        for one in measured.iter().filter(|one| of_side(one)) {
            met.push(one.goal(target, window)?);
            if let Level::Rate(rate) = one.level {
                (lowest, highest) = (lowest.min(rate), highest.max(rate));
            }
        }
        let is_broken = met.contains(&Goal::Broken);
        for _ in 0..self.plan.descents() {
            if met.contains(&Goal::Held) || met.contains(&Goal::Wrong) {
                break;
            }
            lowest /= 2.0;
            let step = self.alone(flow, side, lowest).await?;
            met.push(step.goal(target, window)?);
            measured.insert(first, step);
        }
        if is_broken || met.contains(&Goal::Wrong) {
            return Ok(());
        }
        // A level that decides nothing is passed over, as the search for the largest load does.
        let mut was_open = false;
        for share in self.plan.climbed() {
            let rate = share * best;
            if rate <= highest {
                continue;
            }
            let step = self.alone(flow, side, rate).await?;
            let goal = step.goal(target, window)?;
            measured.push(step);
            let is_open = goal == Goal::Open;
            if matches!(goal, Goal::Wrong | Goal::Broken) || is_open && was_open {
                break;
            }
            was_open = is_open;
        }
        Ok(())
    }

    async fn alone(&self, flow: &Arc<dyn Flow>, side: Side, rate: f64) -> Result<Measured> {
        let step = format!("{} {side}: {rate:.0} requests/s", flow.id());
        self.watcher.step(&step, self.share());
        let tape = self.at_rate(flow, rate, false).alone(side).await?;
        self.tell_held_back(flow.id(), rate, tape.held_back);
        let level = Level::Rate(rate);
        Ok(Measured { level, side, tape })
    }
}
