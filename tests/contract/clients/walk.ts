// Both flows by the generated TypeScript client: `walk.js API PHONES PHONE`, with the customer's token in TOKEN.
// It is copied beside `schema.d.ts`, which is generated there, and type-checked with it; nothing is printed.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[]; env: Record<string, string | undefined>; exit(code: number): never };
declare const console: { error(text: string): void };

type Failure = components["schemas"]["Error"];
const LONGEST_MS = 90_000;
const [api = "", phones = "", phone = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: api, headers: { Authorization: `Bearer ${process.env["TOKEN"] ?? ""}` } });

function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function good<T>(asked: Promise<{ data?: T; error?: Failure }>): Promise<T> {
  const { data, error } = await asked;
  demand(data !== undefined, `refused: ${JSON.stringify(error?.error_code)}`);
  return data;
}

async function until<T>(ask: () => Promise<T>, done: (told: T) => boolean): Promise<T> {
  const ends = Date.now() + LONGEST_MS;
  for (;;) {
    const told = await ask();
    if (done(told)) return told;
    demand(Date.now() < ends, `not after ${LONGEST_MS} ms: ${JSON.stringify(told)}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function pay(gateway: string, which: string): Promise<void> {
  const body = JSON.stringify({ outcome: "pay" });
  const answer = await fetch(`${phones}/control/${gateway}/${which}`, { method: "POST", body });
  demand(answer.ok, `the simulator answers ${answer.status}`);
}

async function anOrder(): Promise<void> {
  const cart = await good(client.POST("/api/carts/add_item", { body: { listing_id: 123, quantity: 2 } }));
  demand(cart.total_cost === "300.00", cart.total_cost);
  const to = { full_name: "John Doe", phone_number: phone, county_id: 1, subcounty_id: 5, detailed_address: "123 Main Street" };
  const session = await good(client.POST("/api/payments/sessions", { body: { delivery_details: to } }));
  const params = { path: { session_id: session.session_id } };
  const prompted = await good(client.POST("/api/payments/sessions/{session_id}/initiate_payment", { params, body: {} }));
  await pay("mpesa", String(prompted.checkout_request_id));
  const ended = await until(
    () => good(client.GET("/api/payments/sessions/{session_id}/status", { params })),
    (told) => told.session_status === "order_created",
  );
  demand(ended.order !== null, "no order");
  const found = await good(client.GET("/api/orders/{order_id}", { params: { path: { order_id: ended.order.order_number } } }));
  demand(found.order_number === ended.order.order_number, "another order");
}

async function aBooking(): Promise<void> {
  const day = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const wanted = { service_type: "PUJA", puja_service: 1, package_id: 2, selected_date: day, selected_time: "10:30" } as const;
  const cart = await good(client.POST("/api/cart/carts", { body: wanted }));
  const payment = await good(client.POST("/api/payments/process-cart", { body: { cart_id: cart.id } }));
  await pay("phonepe", payment.merchant_transaction_id);
  const params = { path: { payment_id: payment.payment_id } };
  const ended = await until(
    () => good(client.GET("/api/payments/{payment_id}/check-booking", { params })),
    (told) => told.booking_created,
  );
  const code = ended.booking?.book_id ?? "";
  const found = await good(client.GET("/api/booking/bookings/{booking_id}", { params: { path: { booking_id: code } } }));
  demand(found.book_id === code, "another booking");
}

async function main(): Promise<void> {
  const config = await good(client.GET("/api/config"));
  demand(config.currencies.join() === "INR,KES", config.currencies.join());
  const missing = await client.GET("/api/listings/{listing_id}", { params: { path: { listing_id: 1_000_000_000 } } });
  demand(missing.error?.error_code === "NOT_FOUND", JSON.stringify(missing.error));
  await anOrder();
  await aBooking();
}

main().catch((error: unknown) => {
  console.error(String(error));
  process.exit(1);
});
