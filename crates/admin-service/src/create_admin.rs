//! `CreateAdmin`: creates an admin; with the bootstrap token, the first owner.

use api::admin::{CreateAdminRequest, CreateAdminResponse};
use api::request::CreateAdmin;
use domain::{InvalidFields, Role};
use server::{Failure, HashCaller, Network, OwnerOrBootstrap};
use store::admins::NewAdmin;

use crate::AdminService;

pub(crate) async fn create_admin(
    service: &AdminService,
    network: Network,
    caller: OwnerOrBootstrap,
    request: CreateAdminRequest,
) -> Result<CreateAdminResponse, Failure> {
    let (store, sign_ins) = (&service.store, &service.sign_ins);
    let asked = CreateAdmin::try_from(request)?;
    if matches!(caller, OwnerOrBootstrap::Bootstrap(_)) && asked.role != Role::Owner {
        return Err(InvalidFields::one("role", "must be OWNER with the bootstrap token").into());
    }
    let password = asked.password;
    let new = NewAdmin {
        email: asked.email,
        display_name: asked.display_name,
        role: asked.role,
        request_id: asked.request_id,
    };

    let session = caller.session().hash();
    let person = HashCaller::SignedIn(network);
    let hash = service.passwords.hash(person, password.clone()).await?;
    let admin = match caller {
        OwnerOrBootstrap::Owner(owner) => store.create_admin(&owner.id, &new, &hash).await?,
        OwnerOrBootstrap::Bootstrap(token) => store.create_first_owner(&token, &new, &hash).await?,
    };
    // Each hash has its own salt. A different stored hash is that of an earlier call with the same
    // request id, so the request is a repetition only if it has the same password.
    if store.admin_credential(&admin.id).await? != hash {
        sign_ins
            .confirm_repetition(network, session, &admin.id, password)
            .await?;
    }

    Ok(CreateAdminResponse {
        admin: Some(admin.into()),
    })
}
