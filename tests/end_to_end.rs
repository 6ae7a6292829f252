//! The journeys end to end, against the running binary: one folder an area.

mod access;
mod attacks;
mod cli;
mod conformance;
mod contract;
mod docs;
mod exchange;
mod interop;
mod navigator;
mod rest;
mod security;
mod signals;
mod soap;
mod support;
