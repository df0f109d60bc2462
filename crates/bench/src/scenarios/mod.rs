//! The table of the scenarios, in the order in which they run.
//!
//! - [`health`], [`competitions`], [`register`], [`withdraw`], [`my_registrations`],
//!   [`list_registrations`]: gRPC methods, each beside bare tonic.
//! - [`redis_alone`]: the upper bound that Redis sets for registrations.
//! - [`burst`]: all users register at once.
//! - [`sign_in`]: reads while many users sign in.
//! - [`long_lists`]: whether the cost of a page depends on the length of the list.
//! - [`start`]: the start-up time of the services.
//! - [`peer`]: a Python implementation as a yardstick.

mod burst;
mod competitions;
mod health;
mod list_registrations;
mod long_lists;
mod my_registrations;
mod names;
mod peer;
mod redis_alone;
mod register;
mod sign_in;
mod start;
mod withdraw;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use crate::context::Context;
use crate::report::BenchReport;
use crate::report::goals::Bound::{AtLeast, AtMost};
use crate::report::goals::Goal;
use crate::report::goals::Quantity::{
    CpuTo, CpuToBare, Figure, FigureTo, Ratio, RoundTrips, ThroughputTo,
};
use crate::result::Result;

/// A part of the run.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run:
        for<'a> fn(&'a mut Context<'_>, &'a mut BenchReport) -> LocalBoxFuture<'a, Result<()>>,
    pub(crate) goals: &'static [Goal],
}

pub(crate) const SCENARIOS: [Scenario; 20] = [
    Scenario {
        name: names::START,
        run: |context, report| start::run(context, report).boxed_local(),
        goals: &[
            Goal(Figure(names::START_ADMIN), AtMost(100.0)),
            Goal(Figure(names::START_USER), AtMost(100.0)),
        ],
    },
    Scenario {
        name: names::HEALTH_BASE,
        run: |context, report| health::base(context, report).boxed_local(),
        goals: &[Goal(Ratio(names::HEALTH_BASE), AtLeast(0.95))],
    },
    Scenario {
        name: names::HEALTH_DEEP,
        run: |context, report| health::deep(context, report).boxed_local(),
        goals: &[
            Goal(Ratio(names::HEALTH_DEEP), AtLeast(0.90)),
            Goal(
                ThroughputTo(names::HEALTH_DEEP, names::PEER_HEALTH_DEEP),
                AtLeast(100.0),
            ),
        ],
    },
    Scenario {
        name: names::GET_COMPETITION,
        run: |context, report| competitions::get_many(context, report).boxed_local(),
        goals: &[
            Goal(Ratio(names::GET_COMPETITION), AtLeast(0.75)),
            Goal(RoundTrips(names::GET_COMPETITION), AtMost(1.0)),
        ],
    },
    Scenario {
        name: names::GET_SAME_COMPETITION,
        run: |context, report| competitions::get_same(context, report).boxed_local(),
        goals: &[
            Goal(Ratio(names::GET_SAME_COMPETITION), AtLeast(0.75)),
            Goal(RoundTrips(names::GET_SAME_COMPETITION), AtMost(1.0)),
        ],
    },
    Scenario {
        name: names::LIST_COMPETITIONS,
        run: |context, report| competitions::list(context, report).boxed_local(),
        goals: &[Goal(RoundTrips(names::LIST_COMPETITIONS), AtMost(3.0))],
    },
    Scenario {
        name: names::REGISTER,
        run: |context, report| register::many_competitions(context, report).boxed_local(),
        goals: &[
            Goal(Ratio(names::REGISTER), AtLeast(0.40)),
            Goal(CpuToBare(names::REGISTER), AtMost(2.0)),
            Goal(RoundTrips(names::REGISTER), AtMost(2.0)),
            Goal(
                ThroughputTo(names::REGISTER, names::PEER_REGISTER),
                AtLeast(14.0),
            ),
            Goal(Figure(names::MEMORY_SPREAD), AtMost(450.0)),
        ],
    },
    Scenario {
        name: names::REGISTER_ONE,
        run: |context, report| register::one_competition(context, report).boxed_local(),
        goals: &[
            Goal(Ratio(names::REGISTER_ONE), AtLeast(0.60)),
            Goal(
                ThroughputTo(names::REGISTER_ONE, names::PEER_REGISTER),
                AtLeast(20.0),
            ),
        ],
    },
    Scenario {
        name: names::REGISTER_WAITLISTED,
        run: |context, report| register::waitlisted(context, report).boxed_local(),
        goals: &[],
    },
    Scenario {
        name: names::REGISTER_CLOSED,
        run: |context, report| register::closed(context, report).boxed_local(),
        goals: &[],
    },
    Scenario {
        name: names::WITHDRAW,
        run: |context, report| withdraw::run(context, report).boxed_local(),
        goals: &[],
    },
    Scenario {
        name: names::GET_MY_REGISTRATION,
        run: |context, report| my_registrations::get(context, report).boxed_local(),
        goals: &[],
    },
    Scenario {
        name: names::LIST_MY_REGISTRATIONS,
        run: |context, report| my_registrations::list(context, report).boxed_local(),
        goals: &[],
    },
    Scenario {
        name: names::LIST_REGISTRATIONS,
        run: |context, report| list_registrations::run(context, report).boxed_local(),
        goals: &[Goal(RoundTrips(names::LIST_REGISTRATIONS), AtMost(3.0))],
    },
    Scenario {
        name: names::REDIS_ALONE,
        run: |context, report| redis_alone::one_by_one(context, report).boxed_local(),
        goals: &[],
    },
    Scenario {
        name: names::REDIS_ALONE_BATCHED,
        run: |context, report| redis_alone::batched(context, report).boxed_local(),
        goals: &[],
    },
    Scenario {
        name: names::BURST,
        run: |context, report| burst::run(context, report).boxed_local(),
        goals: &[
            Goal(Figure(names::MEMORY_ADMIN), AtMost(30.0)),
            Goal(Figure(names::MEMORY_USER), AtMost(30.0)),
        ],
    },
    Scenario {
        name: names::SIGN_IN,
        run: |context, report| sign_in::run(context, report).boxed_local(),
        goals: &[
            Goal(FigureTo(names::BUSY_READS, names::QUIET_READS), AtMost(3.0)),
            Goal(Figure(names::FAILED_READS), AtMost(0.0)),
            Goal(Figure(names::SIGN_IN_MEMORY), AtMost(64.0)),
        ],
    },
    Scenario {
        name: names::LONG_LISTS,
        run: |context, report| long_lists::run(context, report).boxed_local(),
        // A quarter more is noise, or one more level of a tree.
        goals: &[
            Goal(Figure(names::MEMORY_LARGE), AtMost(450.0)),
            Goal(
                CpuTo(
                    names::REGISTRATIONS_OF_1_000_000,
                    names::REGISTRATIONS_OF_10_000,
                ),
                AtMost(1.25),
            ),
            Goal(
                CpuTo(names::COMPETITIONS_OF_100_000, names::LIST_COMPETITIONS),
                AtMost(1.25),
            ),
        ],
    },
    Scenario {
        name: names::PEER,
        run: |context, report| peer::run(context, report).boxed_local(),
        goals: &[],
    },
];
