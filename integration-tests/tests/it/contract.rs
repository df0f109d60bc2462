//! The contract as data: the RPCs and the fields of their requests.

use std::collections::HashMap;

use prost::Message;
use prost::encoding::{self, WireType};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

pub(crate) const ADMIN: &str = "startlist.admin.v1.AdminService";
pub(crate) const USER: &str = "startlist.user.v1.UserService";

/// An RPC of one of the two services.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    pub(crate) service: String,
    pub(crate) method: String,
    /// `/package.Service/Method`.
    pub(crate) path: String,
    /// The name of the request message, such as `.startlist.user.v1.RegisterRequest`.
    pub(crate) request: String,
}

pub(crate) struct Contract {
    pub(crate) rpcs: Vec<Rpc>,
    messages: HashMap<String, DescriptorProto>,
}

impl Contract {
    pub(crate) fn read() -> Self {
        let set = FileDescriptorSet::decode(api::DESCRIPTOR_SET).expect("a descriptor set");
        let mut contract = Self {
            rpcs: Vec::new(),
            messages: HashMap::new(),
        };
        for file in set.file {
            let package = file.package().to_owned();
            for message in file.message_type {
                let name = format!(".{package}.{}", message.name());
                contract.messages.insert(name, message);
            }
            for service in file.service {
                let name = format!("{package}.{}", service.name());
                if name != ADMIN && name != USER {
                    continue;
                }
                contract
                    .rpcs
                    .extend(service.method.iter().map(|method| Rpc {
                        service: name.clone(),
                        path: format!("/{name}/{}", method.name()),
                        method: method.name().to_owned(),
                        request: method.input_type().to_owned(),
                    }));
            }
        }
        contract
    }

    /// The RPCs of one service.
    pub(crate) fn rpcs_of(&self, service: &str) -> impl Iterator<Item = &Rpc> {
        self.rpcs.iter().filter(move |rpc| rpc.service == service)
    }

    /// The paths of all fields of a message, including nested ones: `user.email`.
    pub(crate) fn fields_of(&self, message: &str) -> Vec<String> {
        let mut paths = Vec::new();
        for field in &self.messages[message].field {
            paths.push(field.name().to_owned());
            if self.is_ours(field) {
                let within = self.fields_of(field.type_name());
                paths.extend(within.iter().map(|path| format!("{}.{path}", field.name())));
            }
        }
        paths
    }

    /// A message in which each text field has the value that `value` returns for its name. Empty
    /// texts and messages and all other fields are left out.
    pub(crate) fn filled(&self, message: &str, value: &impl Fn(&str) -> String) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in &self.messages[message].field {
            let number = u32::try_from(field.number()).expect("a field number");
            let content = match field.r#type() {
                Type::String => value(field.name()).into_bytes(),
                Type::Message if self.is_ours(field) => self.filled(field.type_name(), value),
                _ => continue,
            };
            if content.is_empty() {
                continue;
            }
            encoding::encode_key(number, WireType::LengthDelimited, &mut bytes);
            encoding::encode_varint(content.len() as u64, &mut bytes);
            bytes.extend(content);
        }
        bytes
    }

    /// Whether a field is a message of this contract, and not a list.
    fn is_ours(&self, field: &FieldDescriptorProto) -> bool {
        field.label() != Label::Repeated
            && field.type_name().starts_with(".startlist.")
            && self.messages.contains_key(field.type_name())
    }
}
