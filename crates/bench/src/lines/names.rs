//! How the lines are called. What was to be reached refers to them by these names.

pub(crate) const START: &str = "Start to serving";
pub(crate) const HEALTH_BASE: &str = "Health Check, base";
pub(crate) const HEALTH_DEEP: &str = "Health Check, deep";
pub(crate) const GET_COMPETITION: &str = "GetCompetition, 1,000 competitions";
pub(crate) const GET_ONE: &str = "GetCompetition, all the same one";
pub(crate) const LIST_COMPETITIONS: &str = "ListCompetitions of 50";
pub(crate) const REGISTER: &str = "Register, 1,000 competitions";
pub(crate) const REGISTER_ONE: &str = "Register, all for one competition";
pub(crate) const REGISTER_WAITLISTED: &str = "Register, waitlisted";
pub(crate) const REGISTER_CLOSED: &str = "Register, refused (closed)";
pub(crate) const WITHDRAW: &str = "Withdraw with promotion";
pub(crate) const GET_MY_REGISTRATION: &str = "GetMyRegistration";
pub(crate) const LIST_MY_REGISTRATIONS: &str = "ListMyRegistrations of 20";
pub(crate) const LIST_REGISTRATIONS: &str = "ListRegistrations of 200";
pub(crate) const REPLAY: &str = "Redis alone: Register";
pub(crate) const REPLAY_TOGETHER: &str = "Redis alone: Register, 64 together";
pub(crate) const RUSH: &str = "Rush: 50,000 for 5,000 places";
pub(crate) const SIGN_IN: &str = "SignIn, 200 a second";
pub(crate) const SCALE: &str = "Scale: pages of large lists";
pub(crate) const PEER: &str = "Peer: FastAPI and redis-py";

pub(crate) const START_ADMIN: &str = "admin-service: start to ready";
pub(crate) const START_USER: &str = "user-service: start to ready";
pub(crate) const MEMORY_SPREAD: &str = "Redis, a registration, over 1,000 competitions";
pub(crate) const MEMORY_LARGE: &str = "Redis, a registration, 1,000,000 in one competition";
pub(crate) const MEMORY_AT_ONCE: &str = "user-service as the rush ends: resident";
pub(crate) const MEMORY_ADMIN: &str = "admin-service 12 s after the rush: resident";
pub(crate) const MEMORY_USER: &str = "user-service 12 s after the rush: resident";
pub(crate) const QUIET_READS: &str = "GetCompetition, 2,000 a second: p99 when it is quiet";
pub(crate) const BUSY_READS: &str =
    "GetCompetition, 2,000 a second: p99 during 200 sign-ins a second";
pub(crate) const FAILED_READS: &str = "GetCompetition: failed during 200 sign-ins a second";
pub(crate) const SIGN_IN_MEMORY: &str = "user-service: memory grown by 200 sign-ins a second";
pub(crate) const SIGNED_IN: &str = "SignIn: answered, of 200 a second";
pub(crate) const PEER_REGISTER: &str = "Peer: Register";
pub(crate) const PEER_HEALTH_BASE: &str = "Peer: health, base";
pub(crate) const PEER_HEALTH_DEEP: &str = "Peer: health, deep";
pub(crate) const ENTRIES_OF_10_000: &str = "ListRegistrations of 200, of 10,000";
pub(crate) const ENTRIES_OF_1_000_000: &str = "ListRegistrations of 200, of 1,000,000";
pub(crate) const COMPETITIONS_OF_100_000: &str = "ListCompetitions of 50, of 100,000";
