//! The fixes of all items, and the orders that they allow.

use rand::Rng;
use rand::seq::IndexedRandom;
use verdict_audit::VariantName;
use verdict_store::Change;

use crate::error::{Error, Result};
use crate::item::Item;

/// A fix.
#[derive(Debug, Clone, Copy)]
pub struct Fix {
    /// The item's id.
    pub item: &'static str,
    /// What it changes in the engines.
    pub change: Change,
}

/// An order of all fixes, by their places in the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// In which they are made.
    pub made: Vec<usize>,
    /// In which they are taken back.
    pub taken_back: Vec<usize>,
}

/// The fixes of the items, but for those that keep today, in the order of a list that has to hold
/// all of them and no others.
///
/// # Errors
/// The first that only one of them has, or that the list makes before what it needs.
pub fn fixes(items: &[&dyn Item], listed: &[Change]) -> Result<Vec<Fix>> {
    let optimized = |item: &&dyn Item| {
        let mut variants = item.variants().into_iter();
        let (_, change) = variants.find(|(variant, _)| *variant == VariantName::Optimized)?;
        let item = item.id();
        (!change.is_none()).then_some(Fix { item, change })
    };
    let fixed = items.iter().filter(|item| item.keep().is_none());
    let mut left: Vec<Fix> = fixed.filter_map(optimized).collect();
    let mut fixes = Vec::new();
    for change in listed.iter().filter(|change| !change.is_none()) {
        let Some(place) = left.iter().position(|fix| is_same(&fix.change, change)) else {
            return Err(Error::apart(format!(
                "{:?} is the fix of no item",
                change.touches
            )));
        };
        fixes.push(left.remove(place));
    }
    if let Some(fix) = left.first() {
        return Err(Error::apart(format!(
            "the fix of {} is not listed",
            fix.item
        )));
    }
    for (place, fix) in fixes.iter().enumerate() {
        let later = fixes[place..].iter();
        if let Some(other) = later.into_iter().find(|other| fix.needs(other)) {
            let words = format!("{} is listed before {}", fix.item, other.item);
            return Err(Error::apart(words));
        }
    }
    Ok(fixes)
}

/// Functions have no names to compare; all that an engine is told has.
fn is_same(one: &Change, other: &Change) -> bool {
    let [one, other] =
        [one, other].map(|change| format!("{:?}", (change.up, change.down, change.touches)));
    one == other
}

impl Fix {
    /// Whether it is made after the other and taken back before it.
    pub fn needs(&self, other: &Self) -> bool {
        self.change.needs(&other.change)
    }
}

impl Order {
    /// Draws one that the fixes allow.
    pub fn draw(fixes: &[Fix], random: &mut impl Rng) -> Self {
        let needs = |one: usize, other: usize| fixes[one].needs(&fixes[other]);
        Self {
            made: drawn(fixes.len(), random, needs),
            taken_back: drawn(fixes.len(), random, |one, other| needs(other, one)),
        }
    }
}

/// All places in a drawn order, each after those that it waits for.
fn drawn(
    count: usize,
    random: &mut impl Rng,
    waits_for: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    let mut left: Vec<usize> = (0..count).collect();
    let mut drawn = Vec::new();
    loop {
        let free: Vec<usize> = left
            .iter()
            .copied()
            .filter(|place| !left.iter().any(|other| waits_for(*place, *other)))
            .collect();
        let Some(next) = free.choose(random) else {
            return drawn;
        };
        left.retain(|place| place != next);
        drawn.push(*next);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use verdict_optimized::FIXES;

    use super::*;
    use crate::docket::ITEMS;

    const ORDERS: u64 = 20;

    fn order(fixes: &[Fix], seed: u64) -> Order {
        Order::draw(fixes, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    fn place(of: usize, order: &[usize]) -> usize {
        order.iter().position(|fix| *fix == of).unwrap()
    }

    #[test]
    fn what_a_fix_needs_stands_before_it_and_after_it_in_every_order() {
        let fixes = fixes(ITEMS, FIXES).unwrap();
        let mut needs = 0;
        for order in (0..ORDERS).map(|seed| order(&fixes, seed)) {
            for of in 0..fixes.len() {
                for other in 0..fixes.len() {
                    if fixes[of].needs(&fixes[other]) {
                        needs += 1;
                        assert!(place(other, &order.made) < place(of, &order.made));
                        assert!(place(other, &order.taken_back) > place(of, &order.taken_back));
                    }
                }
            }
            for mut all in [order.made, order.taken_back] {
                all.sort_unstable();
                assert!(all.into_iter().eq(0..fixes.len()));
            }
        }
        assert!(needs > 0);
    }

    #[test]
    fn orders_differ_by_their_seed_and_nothing_is_taken_back_the_way_it_came() {
        let fixes = fixes(ITEMS, FIXES).unwrap();
        let drawn: BTreeSet<Order> = (0..ORDERS).map(|seed| order(&fixes, seed)).collect();
        assert_eq!(drawn.len() as u64, ORDERS);
        assert!(drawn.contains(&order(&fixes, 7)));
        let unlike = |order: &&Order| !order.made.iter().rev().eq(&order.taken_back);
        assert!(drawn.iter().filter(unlike).count() > drawn.len() / 2);
    }

    #[test]
    fn a_fix_that_is_not_listed_or_listed_too_early_is_told() {
        let told = |listed: &[Change]| fixes(ITEMS, listed).unwrap_err().to_string();
        let (last, others) = FIXES.split_last().unwrap();
        assert!(told(others).contains("not listed"));
        let twice = [FIXES, &[*last]].concat();
        assert!(told(&twice).contains("no item"));
        let backwards: Vec<Change> = FIXES.iter().rev().copied().collect();
        assert!(told(&backwards).contains("listed before"));
    }
}
