//! Deep: which parts are behind a name.

use std::sync::Arc;

use super::{
    Probe,
    board::Board,
    evaluation::Evaluation,
    names::{DEEP, Names, PEER, REDIS},
};

/// The two parts of deep. Each is evaluated by itself, so that neither waits for
/// the other one, and who asks for one of them costs the other one nothing.
#[derive(Clone)]
pub(super) struct Deep {
    pub(super) redis: Arc<Evaluation>,
    pub(super) peer: Arc<Evaluation>,
}

impl Deep {
    pub(super) fn new(board: &Arc<Board>, names: &Arc<Names>, redis: Probe, peer: Probe) -> Self {
        let evaluation = |name, probe| {
            Arc::new(Evaluation::new(
                name,
                probe,
                Arc::clone(board),
                Arc::clone(names),
            ))
        };
        Self {
            redis: evaluation(REDIS, redis),
            peer: evaluation(PEER, peer),
        }
    }

    /// Returns as soon as the answer for the name is at most 1 s old: at once if
    /// it is or if nobody has to be asked, and within 700 ms whatever hangs.
    pub(super) async fn fresh(&self, name: &str) {
        match name {
            REDIS => self.redis.fresh().await,
            PEER => self.peer.fresh().await,
            DEEP => {
                tokio::join!(self.redis.fresh(), self.peer.fresh());
            }
            _ => {}
        }
    }

    /// Asks both parts now, so that the first client need not wait.
    pub(super) fn start(&self) {
        self.redis.start();
        self.peer.start();
    }
}
