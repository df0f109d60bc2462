//! `CreateAdmin`: makes an account for an admin; with the bootstrap token, for the first owner.

use api::admin::{CreateAdminRequest, CreateAdminResponse};
use api::request::CreateAdmin;
use domain::{InvalidFields, Role};
use server::{Failure, Network, OwnerOrBootstrap};
use store::admins::NewAdmin;

use crate::AdminService;

pub(crate) async fn create_admin(
    service: &AdminService,
    network: Network,
    caller: OwnerOrBootstrap,
    request: CreateAdminRequest,
) -> Result<CreateAdminResponse, Failure> {
    let AdminService {
        store,
        passwords,
        sign_ins,
    } = service;
    let asked = CreateAdmin::try_from(request)?;
    if matches!(caller, OwnerOrBootstrap::Bootstrap(_)) && asked.role != Role::Owner {
        return Err(InvalidFields::one("role", "must be OWNER with the bootstrap token").into());
    }

    let hash = passwords.hash(asked.password.clone()).await?;
    let new = NewAdmin {
        email: asked.email,
        display_name: asked.display_name,
        role: asked.role,
        request_id: asked.request_id,
    };
    let admin = match caller {
        OwnerOrBootstrap::Owner(owner) => {
            store.create_admin(owner.id.as_str(), &new, &hash).await?
        }
        OwnerOrBootstrap::Bootstrap(token) => store.create_first_owner(&token, &new, &hash).await?,
    };
    // Each hash has a salt of its own: another one than this is of an earlier call with the same request
    // id. The password is part of the request too.
    if store.admin_credential(&admin.id).await? != hash {
        let attempt = store.admin_sign_in(&admin.email);
        sign_ins
            .confirm_repetition(network, attempt, asked.password)
            .await?;
    }

    Ok(CreateAdminResponse {
        admin: Some(admin.into()),
    })
}
