//! The probe of Redis.

use std::sync::{Arc, Mutex, PoisonError};

use store::{CheckFailed, Fault, Redis};
use tracing::{info, warn};

use super::evaluation::Probe;
use super::state::CheckError;

/// Returns the probe that checks Redis on the store's connection for health checks. It logs each
/// change of the result once, with the detail that no client may read.
#[must_use]
pub fn redis_probe(redis: Redis) -> Probe {
    let last_fault = Arc::new(Mutex::new(None));
    Arc::new(move || {
        let (redis, last_fault) = (redis.clone(), Arc::clone(&last_fault));
        Box::pin(async move {
            let result = redis.check().await;
            log_change(&last_fault, &result);
            result.map_err(|failed| check_error(failed.fault))
        })
    })
}

/// Only what frees memory works while Redis is full, and reads, so the service is of use then.
fn check_error(fault: Fault) -> CheckError {
    match fault {
        Fault::Full => CheckError::Limited(fault.sentence()),
        _ => CheckError::Down(fault.sentence()),
    }
}

fn log_change(last_fault: &Mutex<Option<Fault>>, result: &Result<(), CheckFailed>) {
    let fault = result.as_ref().err().map(|failed| failed.fault);
    let mut last_fault = last_fault.lock().unwrap_or_else(PoisonError::into_inner);
    if *last_fault == fault {
        return;
    }
    *last_fault = fault;
    match result {
        Ok(()) => info!("Redis is serving"),
        Err(failed) => warn!(detail = failed.detail, "{}", failed.fault.sentence()),
    }
}
