// The compiled form of http/: the only translation unit that includes Boost.URL and OpenSSL.

#include <ocrpipe/http/impl/answer_head.ipp>
#include <ocrpipe/http/impl/answer_reader.ipp>
#include <ocrpipe/http/impl/api_keys.ipp>
#include <ocrpipe/http/impl/connection.ipp>
#include <ocrpipe/http/impl/connection_pool.ipp>
#include <ocrpipe/http/impl/connector.ipp>
#include <ocrpipe/http/impl/exchange.ipp>
#include <ocrpipe/http/impl/host_resolver.ipp>
#include <ocrpipe/http/impl/http_options.ipp>
#include <ocrpipe/http/impl/http_transport.ipp>
#include <ocrpipe/http/impl/inflater.ipp>
#include <ocrpipe/http/impl/origin.ipp>
#include <ocrpipe/http/impl/pool_fsm.ipp>
#include <ocrpipe/http/impl/request_head.ipp>
#include <ocrpipe/http/impl/tls_session.ipp>
#include <ocrpipe/http/impl/watchdog.ipp>
