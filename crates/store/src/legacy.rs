//! Temporary: the former ways to send, while the modules move to typed scripts.

use deadpool_redis::redis::{Cmd, Pipeline, Value};

use crate::error::{Error, Result};
use crate::redis::{Commands, ConnectionId, Effect, Redis, checked};
use crate::script::Call;
use crate::scripts::Source;

pub(crate) fn unreadable(what: &str) -> Error {
    Error::unreadable(what)
}

impl Redis {
    pub(crate) async fn command(&self, command: Cmd) -> Result<Value> {
        self.read(command).await
    }

    pub(crate) async fn pipeline(&self, commands: &Pipeline, effect: Effect) -> Result<Vec<Value>> {
        let replies = self
            .exchange(commands, effect, self.pick_connection())
            .await?;
        replies.into_iter().map(checked).collect()
    }

    pub(crate) async fn exchange(
        &self,
        commands: &Pipeline,
        effect: Effect,
        connection: ConnectionId,
    ) -> Result<Vec<Value>> {
        let commands: Commands = commands.cmd_iter().cloned().collect();
        self.send(&commands, effect, connection).await
    }

    pub(crate) async fn run_call(&self, call: Call, effect: Effect) -> Result<Value> {
        let mut commands = Commands::new();
        commands.push_call(call.script(), call.into_command());
        let mut replies = self.send(&commands, effect, self.pick_connection()).await?;
        checked(replies.pop().ok_or_else(|| unreadable("no reply"))?)
    }

    pub(crate) async fn run_calls(&self, calls: impl Iterator<Item = Call>) -> Result<Vec<Value>> {
        let mut commands = Commands::new();
        for call in calls {
            commands.push_call(call.script(), call.into_command());
        }
        self.read_all(&commands).await
    }

    pub(crate) async fn run_each(
        &self,
        script: &'static Source,
        pipeline: &Pipeline,
        effect: Effect,
        connection: ConnectionId,
    ) -> Result<Vec<Value>> {
        let mut commands: Commands = pipeline.cmd_iter().cloned().collect();
        commands.remember(script);
        self.send(&commands, effect, connection).await
    }
}

impl crate::Store {
    pub(crate) fn users(&self) -> crate::users::Users {
        let claims = crate::accounts::EmailClaims::new(&self.redis, &self.installation);
        crate::users::Users::new(&self.redis, &claims)
    }

    pub(crate) async fn get_user(&self, id: &domain::UserId) -> crate::Result<domain::User> {
        self.users().get(id).await
    }

    pub(crate) async fn find_user(
        &self,
        id: &domain::UserId,
    ) -> crate::Result<Option<domain::User>> {
        self.users().find(id).await
    }

    pub(crate) async fn find_users(
        &self,
        ids: &[domain::UserId],
    ) -> crate::Result<Vec<Option<domain::User>>> {
        self.users().find_many(ids).await
    }
}
