//! What an action of the desk answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::demand::LotDemand;
use super::receipt::Received;
use crate::regulation::Determination;
use crate::store::columns::{ApplicationId, BatchId, SampleId};
use crate::store::rows::{ApplicationRow, BatchRow};
use crate::vocabulary::{CaseState, SampleState};

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Taken {
    pub application_id: ApplicationId,
    pub application_number: String,
    pub state: CaseState,
    pub determination: Option<Determination>,
    pub demand: Option<LotDemand>,
    pub samples: Vec<TakenSample>,
}

/// A sample that was numbered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TakenSample {
    pub id: SampleId,
    pub number: String,
    pub lot_number: String,
    pub state: SampleState,
    pub containers: Vec<String>,
}

impl Taken {
    /// A case of which nothing else was decided.
    pub(super) fn of(row: &ApplicationRow) -> Self {
        Self {
            application_id: row.id.clone(),
            application_number: row.number.clone(),
            state: row.state,
            determination: None,
            demand: None,
            samples: Vec::new(),
        }
    }

    /// With what the regulation asks of it.
    pub(super) fn determined(mut self, determination: Determination, demand: LotDemand) -> Self {
        self.determination = Some(determination);
        self.demand = Some(demand);
        self
    }

    /// With the samples that arrived.
    pub(super) fn with(mut self, batches: &[BatchRow], arrived: &[Received]) -> Self {
        let lot = |id: &BatchId| batches.iter().find(|batch| batch.id == *id).map(|batch| batch.lot_number.clone());
        let sample = |received: &Received| TakenSample {
            id: received.sample.id.clone(),
            number: received.sample.number.clone(),
            lot_number: lot(&received.sample.batch_id).unwrap_or_default(),
            state: received.sample.state,
            containers: received.containers.iter().map(|c| c.label_code.clone()).collect(),
        };
        self.samples = arrived.iter().map(sample).collect();
        self
    }
}
