//! Admins' accounts.
//!
//! - [`bootstrap`]: how the first owner comes to be.

mod bootstrap;

use deadpool_redis::redis::{Pipeline, cmd};
use domain::{
    Admin, AdminId, DisplayName, Email, Rejected, Rejection, RequestId, Role, SessionToken,
    TokenHash,
};

use crate::accounts::{NewAccount, PasswordHash, Session};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::keys::{self, Account, People};
use crate::legacy::unreadable;
use crate::page::{Cursor, Listed, Page, PageRequest};
use crate::records::{Fields, admin};
use crate::redis::Effect;
use crate::redis::{ReplyReader, decode};
use crate::{Store, script};

pub use bootstrap::BOOTSTRAP_TOKEN;

/// An admin to make.
#[derive(Debug, Clone)]
pub struct NewAdmin {
    /// Where the person is reached.
    pub email: Email,
    /// How the person wants to be called.
    pub display_name: DisplayName,
    /// What the person may do.
    pub role: Role,
    /// Which intention this is.
    pub request_id: RequestId,
}

impl Store {
    /// Who this token stands for; `None` = nobody, or nobody any more.
    pub async fn admin_session(&self, token: &SessionToken) -> Result<Option<(AdminId, Role)>> {
        let id = AdminId::parse(token.subject()).map_err(|_| Rejection::Unauthenticated)?;
        let account = Account::of_admin(&id);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline
            .cmd("HGET")
            .arg(account.sessions())
            .arg(token.hash().to_string());
        pipeline
            .cmd("HMGET")
            .arg(account.profile())
            .arg(&["role", "disabled"]);
        let mut answers = self
            .redis
            .pipeline(&pipeline, Effect::Prepare)
            .await?
            .into_iter();
        let (Some(session), Some(profile)) = (answers.next(), answers.next()) else {
            return Err(unreadable("a short answer"));
        };
        let session: Option<String> = decode(session)?;
        let (role, disabled): (Option<String>, Option<String>) = decode(profile)?;
        let is_open = self.read_session(session.as_deref())? == Session::Open;
        let is_enabled = disabled.as_deref() == Some("0");
        match role.filter(|_| is_open && is_enabled) {
            Some(role) => Ok(Some((id, admin::parse_role(&role)?))),
            None => Ok(None),
        }
    }

    /// Makes an admin. `by` is the id of who makes it; a repetition with the same request id answers
    /// the same admin.
    pub async fn create_admin(
        &self,
        by: &str,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<Admin> {
        let made = self
            .installation
            .made_id(&self.redis, "admin", by, new.request_id)
            .await?;
        let id = AdminId::from_bytes(made);
        let mut enter = cmd("ZADD");
        enter.arg(keys::ADMINS).arg(0).arg(id.as_str());
        self.redis.command(enter).await?;
        let account = NewAccount {
            people: People::Admins,
            id: id.to_string(),
            email: &new.email,
            credential: password,
            profile: vec![
                ("email", new.email.as_str().to_owned()),
                ("display_name", new.display_name.to_string()),
                ("role", new.role.as_str().to_owned()),
                ("disabled", "0".to_owned()),
            ],
            request: new.request_id,
            fingerprint: fingerprint(&(
                "create_admin",
                new.email.as_str(),
                &new.display_name,
                new.role,
            ))?,
        };
        let created = self.create_account(&account, None).await?;
        // A repetition may come after that owner was disabled, who must not count as one again.
        if new.role == Role::Owner && !self.get_admin(&id).await?.disabled {
            self.own(&id).await?;
        }
        Ok(Admin {
            id,
            email: new.email.clone(),
            display_name: new.display_name.clone(),
            role: new.role,
            disabled: false,
            created_at: created.created_at,
        })
    }

    /// Ends the session of this token, or all sessions of the admin.
    pub async fn end_admin_sessions(
        &self,
        admin: &AdminId,
        token: Option<TokenHash>,
    ) -> Result<()> {
        self.end_sessions(&Account::of_admin(admin), token).await
    }

    /// Reads an admin.
    pub async fn get_admin(&self, id: &AdminId) -> Result<Admin> {
        let fields = self.read_profile(&Account::of_admin(id)).await?;
        if fields.is_empty() {
            return Err(not_found(id).into());
        }
        admin::parse(id.clone(), fields)
    }

    /// The hash of an admin's password.
    pub async fn admin_credential(&self, id: &AdminId) -> Result<PasswordHash> {
        let mut read = cmd("GET");
        read.arg(Account::of_admin(id).credential());
        let credential: Option<String> = decode(self.redis.command(read).await?)?;
        credential
            .map(PasswordHash)
            .ok_or_else(|| not_found(id).into())
    }

    /// Lists admins in the order of their ids.
    pub async fn list_admins(&self, page: &PageRequest) -> Result<Page<Admin>> {
        let after = page.after_text();
        let from = if after.is_empty() {
            "-".to_owned()
        } else {
            format!("({after}")
        };
        let mut range = cmd("ZRANGEBYLEX");
        range
            .arg(keys::ADMINS)
            .arg(from)
            .arg("+")
            .arg("LIMIT")
            .arg(0)
            .arg(page.size);
        let ids: Vec<String> = decode(self.redis.command(range).await?)?;
        let mut items = Vec::with_capacity(ids.len());
        if !ids.is_empty() {
            let mut pipeline = Pipeline::with_capacity(ids.len());
            for id in &ids {
                pipeline
                    .cmd("HGETALL")
                    .arg(Account::of(People::Admins, id).profile());
            }
            for (id, answer) in ids
                .iter()
                .zip(self.redis.pipeline(&pipeline, Effect::Prepare).await?)
            {
                let fields = Fields::from_pairs(decode(answer)?);
                if !fields.is_empty() {
                    let id = AdminId::parse(id.as_str()).map_err(|_| unreadable("an admin id"))?;
                    items.push(admin::parse(id, fields)?);
                }
            }
        }
        let next = ids
            .last()
            .filter(|_| ids.len() == page.size)
            .map(|last| Cursor::of_text(last));
        Ok(Page { items, next })
    }

    /// Disables an admin, from the next call on. The last owner cannot be disabled.
    pub async fn disable_admin(
        &self,
        by: &AdminId,
        id: &AdminId,
        request: RequestId,
    ) -> Result<Admin> {
        let print = fingerprint(&("disable", by, id))?;
        let admin = self.get_admin(id).await?;
        let is_owner = admin.role == Role::Owner && !admin.disabled;
        let call = script::RESIGN_OWNER
            .on(&[keys::OWNERS])
            .arg(id.as_str())
            .arg(if is_owner { "owner" } else { "" });
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Prepare).await?)?;
        match reply.word() {
            "resigned" => {}
            "last_owner" => {
                let last = Rejected::from(Rejection::LastOwner).with("admin_id", id);
                return Err(last.into());
            }
            _ => return Err(reply.unexpected()),
        }
        let account = Account::of_admin(id);
        let keys = [
            account.profile(),
            account.sessions(),
            account.log(),
            account.request(request),
        ];
        let call = script::DISABLE_ADMIN
            .on(&keys)
            .arg(request.to_string())
            .arg(print);
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        match reply.word() {
            "changed" => admin::parse(id.clone(), reply.into_fields()),
            "absent" => Err(not_found(id).into()),
            "request_id_reused" => Err(Rejection::RequestIdReused.into()),
            _ => Err(reply.unexpected()),
        }
    }
}

impl Listed for Admin {
    fn cursor(&self) -> Cursor {
        Cursor::of_text(self.id.as_str())
    }
}

fn not_found(id: &AdminId) -> Rejected {
    Rejected::from(Rejection::AdminNotFound).with("admin_id", id)
}
