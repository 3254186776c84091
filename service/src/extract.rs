//! What a request says, read strictly: an id in the path, and the parameters of the query.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use uuid::Uuid;

use crate::refusal::Refusal;

/// The id in the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
        uuid("the id in the path", &text).map(Self)
    }
}

/// The query's parameters, decoded.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Query(pairs) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
        Ok(Self(pairs))
    }
}

impl Parameters {
    /// Refuses parameters that nobody will look at, and those given twice.
    pub fn only(&self, accepted: &[&str]) -> Result<(), Refusal> {
        for (place, (name, _)) in self.0.iter().enumerate() {
            if !accepted.contains(&name.as_str()) {
                let accepted = match accepted {
                    [] => "none is".to_owned(),
                    [one] => format!("{one} is"),
                    several => format!("{} are", several.join(", ")),
                };
                return Err(Refusal::bad_request(format!(
                    "`{name}` is no parameter here: {accepted}"
                )));
            }
            if self.0[..place].iter().any(|(other, _)| other == name) {
                return Err(Refusal::bad_request(format!(
                    "`{name}` is given twice: give it once"
                )));
            }
        }
        Ok(())
    }

    /// The text of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find_map(|(other, value)| (other == name).then_some(value.as_str()))
    }

    /// A whole number from `least` on.
    pub fn number(&self, name: &str, least: i64, default: i64) -> Result<i64, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        text.parse()
            .ok()
            .filter(|number| *number >= least)
            .ok_or_else(|| {
                Refusal::bad_request(format!(
                    "`{name}` is {text:?}: it is a whole number from {least} on"
                ))
            })
    }

    /// `true` or `false`; false when absent.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None => Ok(false),
            Some(text) => text.parse().map_err(|_| {
                Refusal::bad_request(format!("`{name}` is {text:?}: it is true or false"))
            }),
        }
    }

    /// An id that must be given.
    pub fn id(&self, name: &str) -> Result<Uuid, Refusal> {
        match self.get(name) {
            None => Err(Refusal::bad_request(format!(
                "`{name}` is missing: it is the UUID of a user"
            ))),
            Some(text) => uuid(&format!("`{name}`"), text),
        }
    }
}

fn uuid(what: &str, text: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(text)
        .map_err(|_| Refusal::bad_request(format!("{what} is {text:?}: it is a UUID")))
}
