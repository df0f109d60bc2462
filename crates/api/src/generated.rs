//! The code that `build.rs` generates from `proto/`. The modules are nested like the packages,
//! because generated code refers to other packages by `super`.

pub mod startlist {
    pub mod v1 {
        tonic::include_proto!("startlist.v1");
    }
    pub mod admin {
        pub mod v1 {
            tonic::include_proto!("startlist.admin.v1");
        }
    }
    pub mod user {
        pub mod v1 {
            tonic::include_proto!("startlist.user.v1");
        }
    }
    pub mod diagnostics {
        pub mod v1 {
            tonic::include_proto!("startlist.diagnostics.v1");
        }
    }
}

pub mod grpc {
    pub mod health {
        pub mod v1 {
            tonic::include_proto!("grpc.health.v1");
        }
    }
}
