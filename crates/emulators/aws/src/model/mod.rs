//! The vendor's definitions: operations, shapes, constraints and errors.
//!
//! `model/*.json` are excerpts of the service models that botocore distributes; `cargo xtask models`
//! makes them. Each is read when its service is first called.

mod load;
mod pattern;
mod route;
mod shape;
mod validate;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use route::{Query, Route};
pub(crate) use shape::{
    Kind, Location, Member, Operation, Protocol, Shape, ShapeId, Structure, TimeFormat,
};
pub(crate) use validate::violations;

use crate::call::Service;

/// A service as the vendor defines it.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) service: Service,
    pub(crate) protocol: Protocol,
    /// What `X-Amz-Target` starts with, before the dot.
    pub(crate) target_prefix: Option<&'static str>,
    /// The namespace of XML answers.
    pub(crate) namespace: Option<&'static str>,
    /// The version that query requests name.
    pub(crate) version: &'static str,
    operations: Vec<Operation>,
    by_name: HashMap<&'static str, usize>,
    shapes: Vec<Shape>,
    shapes_by_name: HashMap<&'static str, ShapeId>,
}

impl Model {
    /// The model of a service.
    pub(crate) fn of(service: Service) -> &'static Self {
        match service {
            Service::Lambda => &LAMBDA,
            Service::S3 => &S3,
            Service::Sqs => &SQS,
            Service::Sts => &STS,
            Service::Iam => &IAM,
            Service::Logs => &LOGS,
        }
    }

    /// All operations, served or not.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of this name, served or not.
    pub(crate) fn operation(&self, name: &str) -> Option<&Operation> {
        self.by_name
            .get(name)
            .and_then(|index| self.operations.get(*index))
    }

    /// A shape of this model.
    pub(crate) fn shape(&self, id: ShapeId) -> &Shape {
        // Ids are made by the loader, from this very list.
        &self.shapes[id.0]
    }

    /// The error shape of this name, or of this code where the two differ.
    pub(crate) fn error(&self, code: &str) -> Option<&Shape> {
        let shape = self
            .shapes_by_name
            .get(code)
            .map(|id| self.shape(*id))
            .filter(|shape| shape.exception);
        shape.or_else(|| {
            self.shapes
                .iter()
                .find(|shape| shape.exception && shape.code == Some(code))
        })
    }

    #[cfg(test)]
    fn shapes(&self) -> &[Shape] {
        &self.shapes
    }
}

macro_rules! model {
    ($name:ident, $service:expr, $file:literal) => {
        static $name: LazyLock<Model> = LazyLock::new(|| {
            load::model(
                $service,
                include_str!(concat!("../../model/", $file, ".json")),
            )
        });
    };
}

model!(LAMBDA, Service::Lambda, "lambda");
model!(S3, Service::S3, "s3");
model!(SQS, Service::Sqs, "sqs");
model!(STS, Service::Sts, "sts");
model!(IAM, Service::Iam, "iam");
model!(LOGS, Service::Logs, "logs");

/// What is served: for each service its operations, and the errors that the vendor lists for each.
pub(crate) fn served() -> impl Iterator<Item = (Service, &'static Operation)> {
    Service::ALL.into_iter().flat_map(|service| {
        Model::of(service)
            .operations()
            .iter()
            .filter(|operation| operation.served)
            .map(move |operation| (service, operation))
    })
}
