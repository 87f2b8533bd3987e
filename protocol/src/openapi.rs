//! OpenAPI schemas for the types that do not derive them.

use alloc::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::SchemaType},
};

use crate::{Channel, Payload};

impl PartialSchema for Payload {
    fn schema() -> RefOr<Schema> {
        let any = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
        any.description(Some("Any JSON value of the application.")).into()
    }
}

impl ToSchema for Payload {
    fn name() -> Cow<'static, str> {
        "Payload".into()
    }
}

impl PartialSchema for Channel {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
        name.description(Some("A channel's name: letters, digits and _ - = @ , . ; : only.")).into()
    }
}

impl ToSchema for Channel {
    fn name() -> Cow<'static, str> {
        "Channel".into()
    }
}
