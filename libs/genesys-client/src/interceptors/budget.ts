import type { SlidingWindow } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { interceptor } from '../exchange.ts';

/** Every attempt, a retry or a login too, first takes a permit of the one budget that all calls share. */
export function budget(window: SlidingWindow): Dispatcher.DispatcherComposeInterceptor {
  return interceptor(async (call, next) => {
    await window.acquire(call.signal);
    return next(call);
  });
}
