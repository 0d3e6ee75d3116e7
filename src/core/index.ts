export { type AddressListOptions, addressList, withAddressList } from "./address-list.ts";
export { type Awaitable, isPromise } from "./awaitable.ts";
export { type BodyRules, tooLarge } from "./body.ts";
export { type BodyDecoder, CONTENT_CODINGS, type ContentCoding } from "./body-coding.ts";
export {
  addressRanges,
  canonicalAddress,
  clientAddressReader,
  type ProxyTrust,
  plainHttpReader,
  proxyCheck,
} from "./client-address.ts";
export { type Clock, systemClock } from "./clock.ts";
export { isJson, type MediaType, parseContentType } from "./content-type.ts";
export type { Authenticated, ParamsOf, RequestContext } from "./context.ts";
export { type Duration, parseDuration } from "./duration.ts";
export { ERROR_STATUS, type ErrorCode, statusTitle } from "./error-codes.ts";
export * from "./errors.ts";
export type { RouteInfo } from "./exchange.ts";
export { BaseAPIHandler, type Define } from "./handler.ts";
export { hostCheck } from "./host.ts";
export { isUuid, uuidv7 } from "./ids.ts";
export { JSON_LIMITS, type JsonLimits, parseJson } from "./json-body.ts";
export {
  type AddressList,
  bareKernel,
  type CrossOriginPolicy,
  type HeaderRecord,
  type HttpsPolicy,
  type Kernel,
  type Preflight,
  type RefusalReason,
  type RefusedAddresses,
  type RequestTracing,
  type Stage,
  type StagePolicy,
  type StageRoute,
} from "./kernel.ts";
export {
  addressKey,
  addressLimits,
  decideLimits,
  type LimitNumbers,
  limitAddress,
  limitPolicy,
  limitStage,
  networkTag,
  principalKey,
  type RateLimitOptions,
} from "./limit-stage.ts";
export type { CredentialChange, MailNotice } from "./mail-notice.ts";
export * from "./ports.ts";
export type {
  AuthenticationMethod,
  Authenticator,
  AuthInfo,
  AuthResult,
  Principal,
  ProvedFactor,
  TenantKeyPrincipal,
  UserKeyPrincipal,
  UserPrincipal,
} from "./principal.ts";
export { type HeaderSource, readHeader } from "./read-header.ts";
export { asAPIError, renderError } from "./render.ts";
export {
  APIResult,
  type BatchData,
  type BatchItem,
  type Pagination,
  paginationOf,
  type QueryResult,
  ResponseBuilder,
} from "./response-builder.ts";
export type { AnyRoute, Route, RoutePolicy } from "./route.ts";
export { createRouter, type Router } from "./router.ts";
export {
  type Handler,
  STAGE,
  type Wrapped,
  type Wrapper,
  wrapper,
} from "./stage.ts";
export { checkTimeout } from "./time-limit.ts";
export { type Output, type Schema, validate } from "./validate.ts";
