// Groups orders. A Lambda handler that knows of no other platform.
import _ from 'lodash';
import { v5 as uuid } from 'uuid';

class NoOrders extends Error {
  constructor() {
    super('there is nothing to group');
    this.name = 'NoOrders';
  }
}

export const handler = async (event, context) => {
  if (_.isEmpty(event.orders)) throw new NoOrders();
  console.log('grouping %d orders', event.orders.length);
  return {
    totals: _.mapValues(_.groupBy(event.orders, 'customer'), (orders) => _.sumBy(orders, 'amount')),
    id: uuid(event.batch, uuid.URL),
    unit: process.env.UNIT,
    inTime: context.getRemainingTimeInMillis() > 0 && context.getRemainingTimeInMillis() <= 5000,
    memory: context.memoryLimitInMB,
  };
};
