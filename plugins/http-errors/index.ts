export { errorResponses, errorSchema } from "./error-responses";
export { httpErrors, type HttpErrorsOptions } from "./http-errors";
export { readBody } from "./read-body";
export { REQUEST_ID_HEADER, requestIdOf } from "./request-id";
