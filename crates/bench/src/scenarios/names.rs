//! The names of scenarios, rows and single figures that more than one file refers to.

pub(super) const START: &str = "Start to serving";
pub(super) const HEALTH_BASE: &str = "Health Check, base";
pub(super) const HEALTH_DEEP: &str = "Health Check, deep";
pub(super) const GET_COMPETITION: &str = "GetCompetition, 1,000 competitions";
pub(super) const GET_SAME_COMPETITION: &str = "GetCompetition, all the same one";
pub(super) const LIST_COMPETITIONS: &str = "ListCompetitions of 50";
pub(super) const REGISTER: &str = "Register, 1,000 competitions";
pub(super) const REGISTER_ONE: &str = "Register, all for one competition";
pub(super) const REGISTER_WAITLISTED: &str = "Register, waitlisted";
pub(super) const REGISTER_CLOSED: &str = "Register, refused (closed)";
pub(super) const WITHDRAW: &str = "Withdraw with promotion";
pub(super) const GET_MY_REGISTRATION: &str = "GetMyRegistration";
pub(super) const LIST_MY_REGISTRATIONS: &str = "ListMyRegistrations of 20";
pub(super) const LIST_REGISTRATIONS: &str = "ListRegistrations of 200";
pub(super) const REDIS_ALONE: &str = "Redis alone: Register";
pub(super) const REDIS_ALONE_BATCHED: &str = "Redis alone: Register, 64 together";
pub(super) const BURST: &str = "Burst: all users register at once";
pub(super) const SIGN_IN: &str = "SignIn, 200 a second";
pub(super) const LONG_LISTS: &str = "Pages of long lists";
pub(super) const PEER: &str = "Peer: FastAPI and redis-py";

pub(super) const START_ADMIN: &str = "admin-service: start to ready";
pub(super) const START_USER: &str = "user-service: start to ready";
pub(super) const MEMORY_SPREAD: &str = "Redis memory per registration, 1,000 competitions";
pub(super) const MEMORY_LARGE: &str = "Redis memory per registration, 1,000,000 in one competition";
pub(super) const MEMORY_AFTER_BURST: &str = "user-service: resident memory after the burst";
pub(super) const MEMORY_ADMIN: &str = "admin-service: resident memory 12 s after the burst";
pub(super) const MEMORY_USER: &str = "user-service: resident memory 12 s after the burst";
pub(super) const QUIET_READS: &str = "GetCompetition, 2,000 a second: p99 without sign-ins";
pub(super) const BUSY_READS: &str =
    "GetCompetition, 2,000 a second: p99 during 200 sign-ins a second";
pub(super) const FAILED_READS: &str = "GetCompetition: failed during 200 sign-ins a second";
pub(super) const SIGN_IN_MEMORY: &str = "user-service: memory growth by 200 sign-ins a second";
pub(super) const SIGNED_IN: &str = "SignIn: accepted, of 200 a second";
pub(super) const PEER_REGISTER: &str = "Peer: Register";
pub(super) const PEER_HEALTH_BASE: &str = "Peer: health, base";
pub(super) const PEER_HEALTH_DEEP: &str = "Peer: health, deep";
pub(super) const REGISTRATIONS_OF_10_000: &str = "ListRegistrations of 200, of 10,000";
pub(super) const REGISTRATIONS_OF_1_000_000: &str = "ListRegistrations of 200, of 1,000,000";
pub(super) const COMPETITIONS_OF_100_000: &str = "ListCompetitions of 50, of 100,000";
