//! Outgoing HTTP: checked against `allowed_outbound_hosts`, in process when it goes
//! to another component of the app.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use http::header::HOST;
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use super::ComponentHost;
use crate::allowed_hosts::internal_component;
use crate::log::RequestRecord;

/// The outgoing side of one instance.
pub struct Outbound {
    /// The component that calls.
    pub component: Arc<ComponentHost>,
    /// The request that it calls for.
    pub request: Arc<RequestRecord>,
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Io), Error>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _guest_result: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        self.component.counters.outbound_http.fetch_add(1, Relaxed);
        Box::new(send(
            self.component.clone(),
            self.request.clone(),
            request,
            options,
        ))
    }
}

async fn send(
    component: Arc<ComponentHost>,
    caller: Arc<RequestRecord>,
    mut request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Sent {
    let uri = request.uri();
    let scheme = uri.scheme_str().unwrap_or("https");
    let host = uri.host().unwrap_or_default();
    if !component.allowed_hosts.allows(scheme, host, uri.port_u16()) {
        eprintln!(
            "component={} outbound request to {scheme}://{host} refused: not in its allowed_outbound_hosts",
            component.id
        );
        return Err(Error::HttpRequestDenied);
    }
    if let Some(target) = internal_component(host).map(str::to_owned) {
        // As on Spin, the callee finds the name in the URI, and no host header.
        request.headers_mut().remove(HOST);
        let app = component.app.upgrade().ok_or(Error::ConnectionTerminated)?;
        let response = app
            .call(&target, request, &caller.id)
            .await
            .ok_or(Error::DestinationNotFound)?;
        return Ok((
            response.map(BodyExt::boxed_unsync),
            Box::new(async { Ok(()) }),
        ));
    }
    let (response, io) = default_send_request(request, options).await?;
    Ok((response.map(BodyExt::boxed_unsync), Box::new(io)))
}
