/** Events in the exact shapes in which Lambda gets them. */

/** Payload 2.0 of a function URL. */
export const urlEvent = (method, rawPath, body) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath,
  rawQueryString: '',
  headers: { host: 'id.lambda-url.us-east-1.on.aws' },
  requestContext: {
    accountId: 'anonymous',
    apiId: 'id',
    domainName: 'id.lambda-url.us-east-1.on.aws',
    http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'curl' },
    requestId: 'r',
    routeKey: '$default',
    stage: '$default',
    time: '30/Nov/2026:00:00:00 +0000',
    timeEpoch: 1_796_000_000_000,
  },
  ...(body !== undefined && { body }),
  isBase64Encoded: false,
})

/** Returns the event that the poller of SQS makes from messages that it received. */
export const sqsEvent = (messages, eventSourceARN) => ({
  Records: messages.map((message) => ({
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: {},
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion: 'us-east-1',
  })),
})

/** Returns the event that the poller of a stream makes from its records. */
export const streamEvent = (records, eventSourceARN) => ({
  Records: records.map((record) => ({ ...record, eventSourceARN })),
})
