import { DecoratorHandler, type Dispatcher } from 'undici';

/**
 * Calls the function that a request carries as `opaque` when the request is written: it has its connection by then,
 * which for the first ones of a burst takes a while.
 */
export function tellingWritten(dispatch: Dispatcher['dispatch']): Dispatcher['dispatch'] {
  return (options, handler) => {
    const { opaque } = options as Dispatcher.DispatchOptions & { readonly opaque?: unknown };
    return dispatch(
      options,
      typeof opaque === 'function' ? new TellingHandler(handler, opaque as () => void) : handler,
    );
  };
}

/** What it does not take itself, the decorator hands on. */
class TellingHandler extends DecoratorHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #onWritten: () => void;

  constructor(handler: Dispatcher.DispatchHandler, onWritten: () => void) {
    super(handler);
    this.#handler = handler;
    this.#onWritten = onWritten;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#onWritten();
    this.#handler.onRequestStart?.(controller, context);
  }
}
