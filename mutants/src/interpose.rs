//! A line to a side on which statements are recorded, or one is put in another's place.

use std::sync::{Arc, Mutex, PoisonError};

use verdict_engines::{Line, Rewrite, Statement};
use verdict_scenarios::Result;
use verdict_scenarios::session::{Role, Session};
use verdict_store::{Connect, Store};

use crate::mutant::Mutant;

/// How long a statement may take, in milliseconds: a mutant that reads a whole table for every
/// row is not waited for, and its caller sees an error.
const PATIENCE_MS: u32 = 10_000;

/// A store whose statements go over a line of its own. The line ends with it.
pub(crate) struct Interposed {
    pub store: Store,
    _line: Line,
}

impl Interposed {
    /// Puts a mutant in the place of its statement.
    pub async fn swapping(
        session: &Session<'_>,
        role: Role,
        statement: &Statement,
        mutant: &Mutant,
    ) -> Result<Self> {
        let (before, after) = (statement.text.clone(), mutant.text.clone());
        let swap = Rewrite::new(move |statement| (statement.text == before).then(|| after.clone()));
        Self::open(session, role, swap).await
    }

    /// Changes nothing: statements may take no longer than others.
    pub async fn plain(session: &Session<'_>, role: Role) -> Result<Self> {
        Self::open(session, role, Rewrite::new(|_| None)).await
    }

    async fn open(session: &Session<'_>, role: Role, rewrite: Rewrite) -> Result<Self> {
        let line = session.rewriting(role, rewrite)?;
        let in_time = |mut how: Connect| {
            // Of two settings of one name the last counts.
            how.postgres
                .push(("statement_timeout", PATIENCE_MS.to_string()));
            how
        };
        Ok(Self {
            store: session.connect(role, Some(&line), in_time).await?,
            _line: line,
        })
    }
}

/// What goes over a line, each statement once, in the order in which they were first sent.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Statement>>>);

impl Recorder {
    /// A store whose statements are recorded.
    pub async fn listen(&self, session: &Session<'_>, role: Role) -> Result<Interposed> {
        let seen = Arc::clone(&self.0);
        let record = Rewrite::new(move |statement| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.iter().all(|known| known.text != statement.text) {
                seen.push(statement.clone());
            }
            None
        });
        Interposed::open(session, role, record).await
    }

    /// What was recorded.
    pub fn statements(&self) -> Vec<Statement> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
