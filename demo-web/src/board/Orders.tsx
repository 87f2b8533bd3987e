// The shop's orders, highest number first. An order that has just changed is highlighted.

import type { Order } from "./board";

interface Props {
  orders: ReadonlyMap<string, Order>;
  ready: boolean;
}

const MONEY = new Intl.NumberFormat(undefined, { style: "currency", currency: "EUR" });

export function Orders({ orders, ready }: Props) {
  const sorted = [...orders.values()].sort((a, b) => Number(b.id) - Number(a.id));
  return (
    <section className="card orders" aria-labelledby="orders-title">
      <h2 id="orders-title">
        Orders <span className="count">{sorted.length}</span>
      </h2>
      {sorted.length === 0 ? (
        <p className="muted">{ready ? "No orders. Create one below." : "Loading orders…"}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">No.</th>
              <th scope="col">Customer</th>
              <th scope="col">Item</th>
              <th scope="col" className="number-cell">
                Price
              </th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map(({ id, customer, item, cents, state, at, live }) => (
              <tr key={`${id} ${at}`} data-live={live} data-testid="order" data-order={id} data-state={state}>
                <td>{id}</td>
                <td>{customer}</td>
                <td>{item}</td>
                <td className="number-cell">{MONEY.format(cents / 100)}</td>
                <td>
                  <span className="chip" data-chip={state}>
                    {state}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
