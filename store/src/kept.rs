//! What callers of a store keep in their process beside its handles, such as the one connection
//! that all of them share: made when it is first asked for, one of a type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Values by their types.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl Kept {
    /// The value of a type; `make` makes it where there is none yet.
    ///
    /// # Errors
    /// Those of `make`, and nothing is kept then.
    pub fn get<T: Any + Send + Sync, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.get(&TypeId::of::<T>()).cloned();
        if let Some(value) = known.and_then(|value| value.downcast().ok()) {
            return Ok(value);
        }
        let value = Arc::new(make()?);
        kept.insert(TypeId::of::<T>(), Arc::clone(&value) as _);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_for_its_type_and_not_at_all_where_that_fails() {
        let kept = Kept::default();
        assert_eq!(kept.get(|| Err::<u8, _>("refused")), Err("refused"));
        let made: Result<_, ()> = kept.get(|| Ok(1u8));
        assert_eq!(made.as_deref(), Ok(&1));
        let again: Result<_, ()> = kept.get(|| Ok(2u8));
        assert_eq!(again.as_deref(), Ok(&1));
        let other: Result<_, ()> = kept.get(|| Ok(3u16));
        assert_eq!(other.as_deref(), Ok(&3));
    }
}
