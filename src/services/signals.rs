//! The portType Signals.

use super::{page, results};
use crate::domain::Issue;
use crate::domain::signals::internal_address;
use crate::error::ServiceError;
use crate::store::batch::Stored;
use crate::store::signals::{self, Delivery, Filter};
use crate::store::{Db, Store};
use chrono::Utc;
use futures_util::{StreamExt, stream};
use soapstone_contracts::signals as contract;
use soapstone_contracts::signals::{
    DeleteTargets, DeleteTargetsResponse, GetTarget, GetTargetResponse, ListDeliveries, ListDeliveriesResponse,
    ListTargets, ListTargetsResponse, ResendDeliveries, ResendDeliveriesResponse, Signals, TestTarget,
    TestTargetResponse, UpdateTarget, UpdateTargetResponse, UpsertTargets, UpsertTargetsResponse,
};
use soapstone_runtime::DateTime;
use soapstone_runtime::outbound::{Denied, Outbound};
use soapstone_runtime::service::Context;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Hosts that are resolved at once.
const LOOKUPS: usize = 8;

/// How long resolving the hosts of one request may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// Who is told of what, and what became of it.
pub struct SignalsService {
    pub store: Store,
    /// Which addresses targets may have.
    pub outbound: Outbound,
}

impl SignalsService {
    /// Checks the addresses of changed targets; each target gets the issues of its own.
    async fn checked(&self, targets: Vec<contract::Target>) -> Vec<(contract::Target, Vec<Issue>)> {
        let urls: HashSet<String> = targets.iter().filter_map(|target| target.url.clone()).collect();
        let denied = self.denied(urls).await;
        let issues = |target: &contract::Target| {
            let url = target.url.as_ref()?;
            Some(internal_address(url, denied.get(url)?))
        };
        let found: Vec<Vec<Issue>> = targets.iter().map(|target| issues(target).into_iter().collect()).collect();
        targets.into_iter().zip(found).collect()
    }

    /// The addresses that are internal and not allowed. What is not resolved in time passes: every call checks again.
    async fn denied(&self, urls: HashSet<String>) -> HashMap<String, Denied> {
        let mut denied = HashMap::new();
        let mut names = Vec::new();
        for url in urls {
            match self.outbound.endpoint(&url) {
                Err(why @ Denied::Internal { .. }) => drop(denied.insert(url, why)),
                Err(Denied::Url(_)) => {}
                Ok(_) => names.push(url),
            }
        }
        let check = |url: String| async move {
            let outcome = self.outbound.check(&url).await;
            (url, outcome)
        };
        let mut checks = stream::iter(names).map(check).buffer_unordered(LOOKUPS);
        let collect = async {
            while let Some((url, outcome)) = checks.next().await {
                if let Err(why) = outcome {
                    denied.insert(url, why);
                }
            }
        };
        if actix_web::rt::time::timeout(LOOKUP_TIMEOUT, collect).await.is_err() {
            log::warn!("The hosts of some targets were not resolved in time; they are checked at each delivery");
        }
        denied
    }
}

fn target(db: &mut Db, key: &str) -> Result<Stored<crate::domain::signals::Target>, crate::store::StoreError> {
    let missing = || ServiceError::NotFound { kind: "target", key: key.to_owned() };
    Ok(signals::get_target(db, key)?.ok_or_else(missing)?)
}

fn shown(target: &Stored<crate::domain::signals::Target>) -> contract::Target {
    target.record.to_contract(target.version, target.changed_at)
}

fn delivery(delivery: Delivery) -> contract::Delivery {
    let is_waiting = delivery.state == contract::DeliveryState::Waiting;
    contract::Delivery {
        id: delivery.id,
        target: delivery.target,
        event: delivery.event,
        order: delivery.order,
        state: delivery.state,
        attempts: delivery.attempts,
        at: DateTime::from_utc(delivery.at),
        next_at: is_waiting.then(|| DateTime::from_utc(delivery.next_at)),
        tried_at: delivery.tried_at.map(DateTime::from_utc),
        status: delivery.status,
        error: delivery.error,
    }
}

impl Signals for SignalsService {
    type Error = ServiceError;

    async fn upsert_targets(
        &self,
        _context: &Context,
        request: UpsertTargets,
    ) -> Result<UpsertTargetsResponse, ServiceError> {
        let keys = request.target.iter().map(|target| target.key.clone()).collect();
        let now = Utc::now().naive_utc();
        let (secrets, targets) = (self.store.secrets().clone(), self.checked(request.target).await);
        let changes = self.store.write(move |db| signals::upsert_targets(db, &secrets, targets, now));
        Ok(UpsertTargetsResponse { result: results::of_changes(keys, changes.await?) })
    }

    async fn get_target(&self, _context: &Context, request: GetTarget) -> Result<GetTargetResponse, ServiceError> {
        let found = self.store.read(move |db| target(db, &request.key)).await?;
        Ok(GetTargetResponse { target: shown(&found) })
    }

    async fn list_targets(
        &self,
        _context: &Context,
        request: ListTargets,
    ) -> Result<ListTargetsResponse, ServiceError> {
        let (after, limit) = (request.cursor.filter(|c| !c.is_empty()), page::size(request.limit));
        let found = self.store.read(move |db| signals::list_targets(db, after.as_deref(), limit));
        let (found, next_cursor) = found.await?;
        Ok(ListTargetsResponse { target: found.iter().map(shown).collect(), next_cursor })
    }

    async fn update_target(
        &self,
        _context: &Context,
        request: UpdateTarget,
    ) -> Result<UpdateTargetResponse, ServiceError> {
        let now = Utc::now().naive_utc();
        let key = request.target.key.clone();
        let (secrets, targets) = (self.store.secrets().clone(), self.checked(vec![request.target]).await);
        let changed = self.store.write(move |db| {
            target(db, &key)?;
            results::only(signals::upsert_targets(db, &secrets, targets, now)?)?;
            target(db, &key)
        });
        Ok(UpdateTargetResponse { target: shown(&changed.await?) })
    }

    async fn delete_targets(
        &self,
        _context: &Context,
        request: DeleteTargets,
    ) -> Result<DeleteTargetsResponse, ServiceError> {
        let keys = request.key.clone();
        let deleted = self.store.write(move |db| signals::delete_targets(db, &keys)).await?;
        Ok(DeleteTargetsResponse { result: results::of_deletions(request.key, deleted) })
    }

    async fn test_target(&self, _context: &Context, request: TestTarget) -> Result<TestTargetResponse, ServiceError> {
        let now = Utc::now().naive_utc();
        let sent = self.store.write(move |db| {
            let found = target(db, &request.key)?;
            let lost = || ServiceError::internal("a signal that was just written is not there");
            Ok(signals::test(db, found.id, now)?.ok_or_else(lost)?)
        });
        Ok(TestTargetResponse { delivery: delivery(sent.await?) })
    }

    async fn list_deliveries(
        &self,
        _context: &Context,
        request: ListDeliveries,
    ) -> Result<ListDeliveriesResponse, ServiceError> {
        let filter = Filter {
            before: page::number(request.cursor.as_deref())?,
            limit: page::size(request.limit),
            target: request.target,
            state: request.state,
            event: request.event,
            order: request.order,
        };
        let (found, more) = self.store.read(move |db| signals::list_deliveries(db, &filter)).await?;
        let next_cursor = found.last().filter(|_| more).map(|delivery| delivery.id.to_string());
        Ok(ListDeliveriesResponse { delivery: found.into_iter().map(delivery).collect(), next_cursor })
    }

    async fn resend_deliveries(
        &self,
        _context: &Context,
        request: ResendDeliveries,
    ) -> Result<ResendDeliveriesResponse, ServiceError> {
        let now = Utc::now().naive_utc();
        if request.id.is_empty() == request.target.is_none() {
            let text = "Name either deliveries or a target; one of the two says what is sent again";
            return Err(ServiceError::invalid("delivery.which", text));
        }
        let count = self.store.write(move |db| match request.target {
            Some(key) => {
                let found = target(db, &key)?;
                signals::resend_dead(db, found.id, now)
            }
            None => signals::resend(db, &request.id, now),
        });
        Ok(ResendDeliveriesResponse { count: i32::try_from(count.await?).unwrap_or(i32::MAX) })
    }
}
