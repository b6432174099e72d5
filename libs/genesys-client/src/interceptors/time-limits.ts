import type { Dispatcher } from 'undici';
import { tooSlow } from '../call-errors.ts';
import { callFacts, interceptor, type Call } from '../exchange.ts';

/**
 * One attempt may take `requestTimeoutMs` in all. undici's own limits (connect, headers, gap between two chunks) find a
 * silent peer sooner; this one bounds all the rest, e.g. waiting for a free connection. Real time, as undici's are.
 */
export function totalTime(requestTimeoutMs: number): Dispatcher.DispatcherComposeInterceptor {
  return interceptor(async (call, next) => {
    const limit = AbortSignal.timeout(requestTimeoutMs);
    try {
      return await next({ ...call, signal: AbortSignal.any([call.signal, limit]) });
    } catch (error) {
      if (!limit.aborted || call.signal.aborted || error !== limit.reason) throw error;
      throw tooSlow(callFacts(call), `no complete answer within ${requestTimeoutMs} ms`);
    }
  });
}

/**
 * A body must bring `minBytes` in each stretch of `stretchMs`: a peer that sends a byte now and then passes every idle
 * timeout. Looks only when a chunk comes; a peer that sends none is the idle timeout's business.
 */
export function minimumProgress(options: {
  readonly minBytes: number;
  readonly stretchMs: number;
}): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (call, handler) => {
    let stretchStartMs = 0;
    let stretchBytes = 0;
    return dispatch(call, {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
      onResponseStart: (controller, ...start) => {
        stretchStartMs = performance.now();
        handler.onResponseStart?.(controller, ...start);
      },
      onResponseData: (controller, chunk) => {
        stretchBytes += chunk.length;
        if (performance.now() - stretchStartMs >= options.stretchMs) {
          if (stretchBytes < options.minBytes) {
            const what = `its body brought only ${stretchBytes} bytes in ${options.stretchMs} ms`;
            controller.abort(tooSlow(callFacts(call as Call), what));
            return;
          }
          stretchStartMs = performance.now();
          stretchBytes = 0;
        }
        handler.onResponseData?.(controller, chunk);
      },
      onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
      onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
    });
  };
}
