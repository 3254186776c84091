//! Where the service under load is.

use std::fmt;

use crate::error::{Error, Result};

/// The address of a service, such as `http://127.0.0.1:8080`; both sides lie below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    /// An address that was given from outside. What may be secret in it is not repeated.
    ///
    /// # Errors
    /// When it is none that a service can be asked at.
    pub fn parse(url: &str) -> Result<Self> {
        let refused = |reason: &str| {
            Err(Error::BadTarget {
                reason: reason.to_owned(),
            })
        };
        let Ok(parsed) = reqwest::Url::parse(url) else {
            return refused("it is no URL");
        };
        if parsed.scheme() != "http" {
            return refused("it does not begin with http://");
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return refused(
                "it holds a user or a password, which would be stored with the results",
            );
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return refused("it has a query or a fragment");
        }
        Ok(Self::new(url))
    }

    /// An address, with or without a slash at its end.
    pub fn new(url: &str) -> Self {
        Self(url.trim_end_matches('/').to_owned())
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_holds_a_secret_is_refused_without_repeating_it() {
        let error = ServiceUrl::parse("http://me:hush@example.org:80").unwrap_err();
        assert!(!error.to_string().contains("hush"), "{error}");
        for wrong in ["", "localhost:8080", "file:///etc/passwd", "http://h/?a=b"] {
            assert!(ServiceUrl::parse(wrong).is_err(), "{wrong}");
        }
        let url = ServiceUrl::parse("http://127.0.0.1:8080/").unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:8080");
    }
}
