//! PostgreSQL's statements on their way to the server: read, and changed where somebody wants.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::bind::{self, Call, after_zero};
use super::queries::{self, Query};
use super::statement::Statement;

type SeeOrChange = dyn Fn(&Statement) -> Option<String> + Send + Sync;
type Hear = dyn Fn(&Call) + Send + Sync;

/// Sees every statement that goes to PostgreSQL before the server does, and answers the text to be
/// sent in its place; `None` leaves it as it is.
#[derive(Clone)]
pub struct Rewrite {
    statements: Arc<SeeOrChange>,
    calls: Option<Arc<Hear>>,
    pub(super) queries: Option<Arc<queries::SeeOrChange>>,
}

impl Rewrite {
    /// By a function. It is called on the threads of the relay, and holds the statement up.
    pub fn new(rewrite: impl Fn(&Statement) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            statements: Arc::new(rewrite),
            calls: None,
            queries: None,
        }
    }

    /// Changes nothing, and tells each call of a statement with its parameters.
    pub fn hearing(calls: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        Self {
            calls: Some(Arc::new(calls)),
            ..Self::new(|_| None)
        }
    }

    /// Sees every query that goes to ClickHouse, too, and answers likewise. What rows are inserted
    /// by is none: it stands in the request's address.
    #[must_use]
    pub fn with_queries(
        self,
        rewrite: impl Fn(&Query) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            queries: Some(Arc::new(rewrite)),
            ..self
        }
    }
}

impl fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rewrite")
    }
}

/// The protocol's third version, the only one in use: its major number in a startup message.
const MAJOR: u32 = 3;
/// What a client says in the place of a version when it asks whether the server encrypts, by
/// TLS or by GSSAPI. It is answered by one byte, and the client begins again.
const ASKS_FOR_ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// Where in the protocol a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before and in its startup message, which has no type.
    Startup,
    /// After it: messages of a type and a length.
    Messages,
    /// Something else is spoken, such as TLS: carried as it is.
    Opaque,
}

/// One client's side of a connection, cut into messages. A message that has not come whole is
/// held until it has.
#[derive(Debug)]
pub(super) struct Statements {
    rewrite: Rewrite,
    phase: Phase,
    held: Vec<u8>,
    /// What was prepared, by its name, where calls are heard.
    prepared: HashMap<Vec<u8>, Statement>,
}

impl Statements {
    pub(super) fn new(rewrite: Rewrite) -> Self {
        Self {
            rewrite,
            phase: Phase::Startup,
            held: Vec::new(),
            prepared: HashMap::new(),
        }
    }

    /// Takes what has come and gives what is to be passed on now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let mut passed = Vec::with_capacity(self.held.len());
        while let Some(length) = self.next_message() {
            let message: Vec<u8> = self.held.drain(..length).collect();
            match self.rewritten(&message) {
                Some(rewritten) => passed.extend(rewritten),
                None => passed.extend(message),
            }
        }
        if self.phase == Phase::Opaque {
            passed.append(&mut self.held);
        }
        passed
    }

    /// What is still held at the end: a message that was cut off.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// The length of the next message, if it is there whole.
    fn next_message(&mut self) -> Option<usize> {
        let length = match self.phase {
            Phase::Startup => {
                let (length, version) = (number(&self.held, 0)?, number(&self.held, 4)?);
                if version >> 16 == MAJOR {
                    length
                } else if ASKS_FOR_ENCRYPTION.contains(&version) {
                    8
                } else {
                    self.phase = Phase::Opaque;
                    return None;
                }
            }
            // The length counts itself, and not the type before it.
            Phase::Messages => number(&self.held, 1)?.saturating_add(1),
            Phase::Opaque => return None,
        };
        let length = length as usize;
        (length <= self.held.len()).then(|| {
            if self.phase == Phase::Startup && length > 8 {
                self.phase = Phase::Messages;
            }
            length
        })
    }

    /// A message with another statement in it; `None` when it has none, or keeps it.
    fn rewritten(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let kind = *message.first()?;
        let body = message.get(5..)?;
        let (name, body) = match kind {
            b'Q' => (&[][..], body),
            b'P' => after_zero(body)?,
            b'B' => {
                self.hear(body);
                return None;
            }
            _ => return None,
        };
        let (text, types) = after_zero(body)?;
        let statement = Statement {
            text: std::str::from_utf8(text.strip_suffix(&[0])?)
                .ok()?
                .to_owned(),
            parameter_types: types
                .get(2..)
                .unwrap_or_default()
                .chunks_exact(4)
                .filter_map(|bytes| number(bytes, 0))
                .collect(),
        };
        let text = (self.rewrite.statements)(&statement);
        if self.rewrite.calls.is_some() && kind == b'P' {
            self.prepared.insert(name.to_vec(), statement);
        }
        let text = text?;
        let length = u32::try_from(4 + name.len() + text.len() + 1 + types.len()).ok()?;
        let mut rewritten = vec![kind];
        rewritten.extend(length.to_be_bytes());
        rewritten.extend(name);
        rewritten.extend(text.as_bytes());
        rewritten.push(0);
        rewritten.extend(types);
        Some(rewritten)
    }

    /// Tells a call, if anybody listens.
    fn hear(&self, body: &[u8]) {
        if let Some(calls) = &self.rewrite.calls
            && let Some((name, parameters)) = bind::read(body)
            && let Some(statement) = self.prepared.get(name)
        {
            let statement = statement.clone();
            calls(&Call {
                statement,
                parameters,
            });
        }
    }
}

/// A number of four bytes.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend((body.len() as u32 + 4).to_be_bytes());
        message.extend(body);
        message
    }

    fn startup() -> Vec<u8> {
        let body = b"\0\x03\0\0user\0verdict\0\0";
        let mut message = (body.len() as u32 + 4).to_be_bytes().to_vec();
        message.extend(body);
        message
    }

    fn parse(text: &str) -> Vec<u8> {
        let mut body = b"s1\0".to_vec();
        body.extend(text.as_bytes());
        body.extend(b"\0\0\x02\0\0\x0b\x86\0\0\0\x14");
        message(b'P', &body)
    }

    fn query(text: &str) -> Vec<u8> {
        message(b'Q', format!("{text}\0").as_bytes())
    }

    /// Changes `SELECT 1`, and leaves everything else.
    fn statements() -> Statements {
        Statements::new(Rewrite::new(|statement| {
            (statement.text == "SELECT 1").then(|| "SELECT 1 + 1".to_owned())
        }))
    }

    #[test]
    fn statements_are_changed_with_their_lengths_and_nothing_else_is() {
        let bind = message(b'B', b"\0s1\0SELECT 1\0");
        let sent = [
            startup(),
            parse("SELECT 1"),
            bind.clone(),
            query("SELECT 1"),
            query("SELECT 2"),
        ];
        let due = [
            startup(),
            parse("SELECT 1 + 1"),
            bind,
            query("SELECT 1 + 1"),
            query("SELECT 2"),
        ];
        assert_eq!(statements().take(&sent.concat()), due.concat());
    }

    #[test]
    fn a_message_may_come_in_any_pieces() {
        let sent = [startup(), parse("SELECT 1"), query("SELECT 1")].concat();
        let due = [startup(), parse("SELECT 1 + 1"), query("SELECT 1 + 1")].concat();
        for size in 1..sent.len() {
            let mut statements = statements();
            let pieces = sent.chunks(size);
            let passed: Vec<u8> = pieces.flat_map(|piece| statements.take(piece)).collect();
            assert_eq!(passed, due, "in pieces of {size}");
        }
    }

    #[test]
    fn a_statement_is_seen_with_its_types() {
        let seen: Arc<Mutex<Vec<Statement>>> = Arc::default();
        let seeing = Arc::clone(&seen);
        let mut statements = Statements::new(Rewrite::new(move |statement| {
            seeing.lock().unwrap().push(statement.clone());
            None
        }));
        let sent = [startup(), parse("SELECT $1"), query("BEGIN")].concat();
        assert_eq!(statements.take(&sent), sent);
        let of = |text: &str, types: &[u32]| Statement {
            text: text.to_owned(),
            parameter_types: types.to_vec(),
        };
        assert_eq!(
            *seen.lock().unwrap(),
            [of("SELECT $1", &[2950, 20]), of("BEGIN", &[])]
        );
    }

    #[test]
    fn a_call_is_heard_with_the_statement_that_was_prepared_under_its_name() {
        let heard: Arc<Mutex<Vec<Call>>> = Arc::default();
        let hearing = Arc::clone(&heard);
        let mut statements = Statements::new(Rewrite::hearing(move |call| {
            hearing.lock().unwrap().push(call.clone());
        }));
        let bind = |name: &str| {
            let body = format!("\0{name}\0\0\0\0\x01\0\0\0\x01x\0\0");
            message(b'B', body.as_bytes())
        };
        let sent = [
            startup(),
            parse("SELECT $1"),
            bind("s1"),
            bind("s1"),
            bind("unknown"),
            parse("SELECT $2"),
            bind("s1"),
        ];
        assert_eq!(statements.take(&sent.concat()), sent.concat());
        let heard = heard.lock().unwrap();
        let texts: Vec<_> = heard.iter().map(|call| &*call.statement.text).collect();
        assert_eq!(texts, ["SELECT $1", "SELECT $1", "SELECT $2"]);
        assert_eq!(heard[0].parameters[0].as_deref(), Some(&b"x"[..]));
    }

    #[test]
    fn a_client_that_encrypts_is_carried_as_it_is() {
        let asked = [&8_u32.to_be_bytes()[..], &80_877_103_u32.to_be_bytes()].concat();
        let mut refused = statements();
        assert_eq!(refused.take(&asked), asked);
        assert_eq!(refused.take(&startup()), startup());
        assert_eq!(
            refused.take(&query("SELECT 1")),
            query("SELECT 1 + 1"),
            "the server did not encrypt"
        );

        let mut encrypted = statements();
        assert_eq!(encrypted.take(&asked), asked);
        let hello = b"\x16\x03\x01\x02\0\x01\0\x01\xfcand so on".to_vec();
        assert_eq!(encrypted.take(&hello), hello);
        assert_eq!(encrypted.take(&query("SELECT 1")), query("SELECT 1"));
    }

    #[test]
    fn what_is_cut_off_is_not_lost() {
        let mut statements = statements();
        let sent = [startup(), query("SELECT 1")].concat();
        let passed = statements.take(&sent[..sent.len() - 2]);
        assert_eq!(
            [passed, statements.rest()].concat(),
            sent[..sent.len() - 2].to_vec()
        );
    }
}
