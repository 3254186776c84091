//! What a verdict asks of its reader.

use verdict_audit::Verdict;

/// Verdicts grouped by what to do about them, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    /// Do not ship this.
    Act,
    /// Not what was promised, or not what is said of today.
    Less,
    /// Measure again.
    Open,
    /// As promised.
    Good,
}

impl Tone {
    pub(crate) const ALL: [Self; 4] = [Self::Act, Self::Less, Self::Open, Self::Good];

    pub(crate) fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Fails | Verdict::Wrong | Verdict::Regression => Self::Act,
            Verdict::NoEffect
            | Verdict::FallsShort
            | Verdict::FasterThanSaid
            | Verdict::SlowerThanSaid => Self::Less,
            Verdict::Inconclusive => Self::Open,
            Verdict::Confirmed | Verdict::Exceeded | Verdict::AsSaid => Self::Good,
        }
    }

    /// The class in the page's style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Less => "less",
            Self::Open => "open",
            Self::Good => "good",
        }
    }

    /// Told by its shape where colour is not seen.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Act => "✕",
            Self::Less => "▼",
            Self::Open => "?",
            Self::Good => "✓",
        }
    }

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Act => "Act on these: they fail, answer wrongly or are slower",
            Self::Less => "Not as the audit says",
            Self::Open => "Not decided by this run",
            Self::Good => "As the audit says, or more",
        }
    }

    /// The terminal's colour.
    pub(crate) fn ansi(self) -> &'static str {
        match self {
            Self::Act => "31",
            Self::Less => "33",
            Self::Open => "36",
            Self::Good => "32",
        }
    }
}
