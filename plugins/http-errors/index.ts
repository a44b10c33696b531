export { errorResponses, errorSchema } from "./error-responses";
export { httpErrors, type HttpErrorsOptions } from "./http-errors";
export { readBody } from "./read-body";
