//! What the last write met, and whether anything was found damaged.

use std::sync::{Mutex, PoisonError};

use super::{Failure, Outcome, StoreError};
use crate::refusal::Refusal;

#[derive(Default)]
struct Met {
    /// Of the last write.
    write: Option<Refusal>,
    /// Of any read: damage does not go away by itself.
    damage: Option<Refusal>,
    /// Why nothing may be written until a person has decided.
    held: Option<Refusal>,
}

/// Shared by all handles of a database.
#[derive(Default)]
pub(super) struct Health(Mutex<Met>);

impl Health {
    pub(super) fn read<T>(&self, outcome: &Outcome<T>) {
        if let Err(Failure::Store(error @ StoreError::Damaged(_))) = outcome {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).damage = error.trouble();
        }
    }

    pub(super) fn wrote<T>(&self, outcome: &Outcome<T>) {
        let mut met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(_) => met.write = None,
            Err(Failure::Store(error)) => {
                let trouble = error.trouble();
                if matches!(error, StoreError::Damaged(_)) {
                    met.damage.clone_from(&trouble);
                }
                // Two transactions that met are nobody's trouble.
                if trouble.is_some() && !matches!(error, StoreError::Serialization) {
                    tracing::error!(%error, "a write failed");
                    met.write = trouble;
                }
            }
            // A refusal says nothing of the machine.
            Err(Failure::Refused(_)) => {}
        }
    }

    pub(super) fn trouble(&self) -> Option<Refusal> {
        let met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        met.damage.clone().or_else(|| met.held.clone()).or_else(|| met.write.clone())
    }

    pub(super) fn hold(&self, why: Option<Refusal>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).held = why;
    }

    pub(super) fn held(&self) -> Option<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).held.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;

    #[test]
    fn a_failed_write_is_forgotten_by_the_next_and_damage_is_not() {
        let health = Health::default();
        let code = |health: &Health| health.trouble().map(|refusal| refusal.code);
        let full: Outcome<()> = Err(StoreError::Full("x".into()).into());
        health.wrote(&full);
        assert_eq!(code(&health), Some(Code::StorageFull));
        health.wrote::<()>(&Err(Refusal::new(Code::Conflict, "冲突", "conflict").into()));
        assert_eq!(code(&health), Some(Code::StorageFull));
        health.wrote(&Ok(()));
        assert_eq!(code(&health), None);
        let damaged: Outcome<()> = Err(StoreError::Damaged("x".into()).into());
        health.read(&damaged);
        health.wrote(&Ok(()));
        assert_eq!(code(&health), Some(Code::StorageDamaged));
    }
}
