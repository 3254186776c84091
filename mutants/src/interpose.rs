//! A line to a side on which statements are recorded, or one is put in another's place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use verdict_engines::{Line, Rewrite, Statement};
use verdict_scenarios::Result;
use verdict_scenarios::session::{Role, Session};
use verdict_store::{Connect, Store};

use crate::mutant::Mutant;
use crate::specimen::Sent;
use crate::template::{Template, Templates};

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
        sent: &Sent,
        mutant: &Mutant,
    ) -> Result<Self> {
        let after = mutant.text.clone();
        let swap = match sent.clone() {
            Sent::Postgres(Statement { text: before, .. }) => {
                Rewrite::new(move |statement| (statement.text == before).then(|| after.clone()))
            }
            Sent::ClickHouse(template) => {
                Rewrite::new(|_| None).with_queries(move |query| template.of(&query.text, &after))
            }
        };
        Self::open(session, role, swap).await
    }

    async fn open(session: &Session<'_>, role: Role, rewrite: Rewrite) -> Result<Self> {
        let line = session.rewriting(role, rewrite)?;
        let in_time = |mut how: Connect| {
            // Of two settings of one name the last counts.
            how.postgres
                .push(("statement_timeout", PATIENCE_MS.to_string()));
            let seconds = (PATIENCE_MS / 1_000).to_string();
            how.clickhouse.push(("max_execution_time", seconds));
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
pub(crate) struct Recorder {
    statements: Arc<Mutex<Vec<Statement>>>,
    queries: Arc<Mutex<Templates>>,
}

impl Recorder {
    /// A store whose statements are recorded.
    pub async fn listen(&self, session: &Session<'_>, role: Role) -> Result<Interposed> {
        let (statements, queries) = (Arc::clone(&self.statements), Arc::clone(&self.queries));
        let record = Rewrite::new(move |statement| {
            let mut seen = locked(&statements);
            if seen.iter().all(|known| known.text != statement.text) {
                seen.push(statement.clone());
            }
            None
        });
        let record = record.with_queries(move |query| {
            locked(&queries).see(query);
            None
        });
        Interposed::open(session, role, record).await
    }

    /// What PostgreSQL was sent.
    pub fn statements(&self) -> Vec<Statement> {
        locked(&self.statements).clone()
    }

    /// What ClickHouse was sent.
    pub fn queries(&self) -> Vec<Template> {
        locked(&self.queries).all()
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
