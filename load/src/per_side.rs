//! One of each side.

use verdict_audit::Side;

/// Both sides.
pub(crate) const SIDES: [Side; 2] = [Side::Baseline, Side::Optimized];

/// One of each side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PerSide<T> {
    /// Today's.
    pub baseline: T,
    /// The one with every fix.
    pub optimized: T,
}

impl PerSide<Side> {
    /// Each side itself.
    pub(crate) fn each() -> Self {
        Self {
            baseline: Side::Baseline,
            optimized: Side::Optimized,
        }
    }

    /// One side in the place of both.
    pub(crate) fn twice(side: Side) -> Self {
        Self {
            baseline: side,
            optimized: side,
        }
    }
}

impl<T> PerSide<T> {
    /// The one of a side.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Baseline => &self.baseline,
            Side::Optimized => &self.optimized,
        }
    }

    /// The one of a side, to change it.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Baseline => &mut self.baseline,
            Side::Optimized => &mut self.optimized,
        }
    }

    /// Something else of each side.
    pub fn map<U>(&self, of: impl Fn(&T) -> U) -> PerSide<U> {
        PerSide {
            baseline: of(&self.baseline),
            optimized: of(&self.optimized),
        }
    }
}
